"""What HTTP cannot see."""

from sqlalchemy import create_engine, text


def sessions_have_users(asked):
    """``asked`` has ``base_url``, ``database_url`` and the ``values`` that were captured before."""
    engine = create_engine(asked.database_url)
    with engine.connect() as connection:
        lost = connection.scalar(
            text("SELECT count(*) FROM sessions WHERE user_id NOT IN (SELECT id FROM users)")
        )
    engine.dispose()
    assert lost == 0, f"{lost} sessions are nobody's"
