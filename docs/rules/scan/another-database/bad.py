import pymysql


def find(host):
    with pymysql.connect(host=host) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT `name` FROM `shops`")
        return cursor.fetchall()
