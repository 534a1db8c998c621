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
