import os, shutil, subprocess, time, pytest
from urllib.parse import urlsplit, parse_qs
from pathlib import Path
import psycopg
from govern.database.postgresql import locks
from govern.database.url import DatabaseUrl
from govern.errors import Refused

@pytest.mark.parametrize("mode", ["transaction", "session", "statement"])
@pytest.mark.parametrize("rr", ["0", "1"])
def test_bouncer(mode, rr, postgresql_database, tmp_path):
    q = parse_qs(urlsplit(postgresql_database.text).query)
    host, port = q["host"][0], q.get("port", ["5432"])[0]
    d = Path("/tmp/e/pgb"); shutil.rmtree(d, ignore_errors=True); d.mkdir(); os.chown(d, 65534, 65534)
    user = urlsplit(postgresql_database.text).username
    (d/"users").write_text(f'"{user}" ""\n')
    (d/"ini").write_text(f"""[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_port=6555
listen_addr=
unix_socket_dir={d}
auth_type=trust
auth_file={d}/users
pool_mode={mode}
server_round_robin={rr}
default_pool_size=5
logfile={d}/log
""")
    p = subprocess.Popen(["setpriv","--reuid","65534","--regid","65534","--clear-groups","/usr/sbin/pgbouncer", "-q", str(d/"ini")])
    try:
        for _ in range(50):
            if (d/".s.PGSQL.6555").exists(): break
            time.sleep(.1)
        url = DatabaseUrl.parse(f"postgresql://{user}@/{postgresql_database.database}?host={d}&port=6555")
        # warm the pool: several server connections
        cs = [psycopg.connect(url.conninfo) for _ in range(3)]
        if mode != "statement":
            for c in cs: c.execute("select 1")
        for c in cs: c.close()
        res = []
        for _ in range(20):
            try:
                locks.migration_lock(url); res.append("ok")
            except Refused as e: res.append("refused"); last = e
        print(mode, rr, res)
        if mode == "session": assert set(res) == {"ok"}
        else: assert set(res) == {"refused"}, res
        if mode != "session": print(last)
    finally:
        p.terminate(); p.wait()
