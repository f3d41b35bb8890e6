"""How every command of the lab ends: 0 done, 1 failed, 2 called wrongly; an error is a message, not a trace."""

import sys

from spec import LabError, Usage


def run(main):
    try:
        main()
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, Usage) else 1)
    except KeyboardInterrupt:
        print("lab: interrupted", file=sys.stderr)
        sys.exit(130)
