"""What a browser asks for: everything in a request is a text, and stays one until it is converted."""

from sqlalchemy import text


def show_user(connection, request):
    user_id = int(request["user_id"])
    user = connection.execute(text("SELECT id, name FROM users WHERE id = :id"), {"id": user_id}).one()
    return {"name": user.name, "url": "/users/" + str(user.id)}
