#!/bin/sh
# The shape of the source: formatted, and no large file tracked. Prints TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
limit=1048576

list() {
    git ls-files -z --cached --others --exclude-standard "$@" 2>/dev/null
}

if ! git rev-parse --git-dir >/dev/null 2>&1; then
    echo "ok - formatting # SKIP not a git checkout"
    echo "ok - no tracked file over 1 MiB # SKIP not a git checkout"
    exit 0
fi

wrong=$(list '*.c' '*.h' | xargs -0 clang-format-14 --dry-run -Werror 2>&1)
[ -z "$wrong" ] && echo "ok - formatting" || echo "not ok - formatting (make format puts it right)"
[ -z "$wrong" ] || printf '%s\n' "$wrong" | grep 'error:' | sed 's/^/# /'

large=$(git ls-files -z | xargs -0 -I{} find {} -maxdepth 0 -size +${limit}c)
[ -z "$large" ] && echo "ok - no tracked file over 1 MiB" || echo "not ok - no tracked file over 1 MiB"
[ -z "$large" ] || printf '%s\n' "$large" | sed 's/^/# /'
[ -z "$wrong$large" ]
