from obsync_tui.model.message import Lanes

class Plan:
    def __init__(self, program: tuple[object, ...], /) -> None: ...
    def run(
        self,
        bodies: list[bytes],
        start: int,
        commit_s: int,
        gtid: str,
        gno: int,
        sequence: int,
        lanes: Lanes,
        /,
    ) -> tuple[int, int, int, int]: ...

def payloads(data: bytes, /) -> tuple[list[bytes], int]: ...
def joining(
    packets: list[bytes],
    at: int,
    checksum: bool,
    table_map: bytes,
    kind: int,
    head: bytes,
    bodies: list[bytes],
    /,
) -> tuple[int, int]: ...
