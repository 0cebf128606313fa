"""Keys are numbers, whatever a server makes of them."""


# notes.user_id is a text on one server
def ensure_int_id(value):
    """The key as a number."""
    if value is None:
        return None
    return int(value)
