"""Django: ``"govern.integrations.django"`` in ``INSTALLED_APPS``.

A guard in ``MIDDLEWARE`` that refuses to serve, system checks, ``manage.py govern`` and the health URLs; what
is validated is said in the setting ``GOVERN``.
"""
