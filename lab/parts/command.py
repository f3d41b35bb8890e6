"""How every command of the lab ends: a LabError is one line, an interruption is quiet."""

import sys

from spec import LabError


def run(main):
    try:
        main()
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("lab: interrupted", file=sys.stderr)
        sys.exit(130)
