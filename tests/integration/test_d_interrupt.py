import time
def test_x(postgresql_database):
    time.sleep(60)
