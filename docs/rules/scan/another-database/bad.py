import pymysql


def find(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT `name` FROM `shops`")
