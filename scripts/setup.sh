# Sourced by scripts/oracle and scripts/test: make .venv on first use, and again when pyproject.toml changes.
#   use_venv EXTRA     leaves $python set; EXTRA is the extra of pyproject.toml that has to be there
#
# Later calls compare one stamp with pyproject.toml and do nothing else.

root=$(cd "$(dirname "$0")/.." && pwd)
venv=$root/.venv
python=$venv/bin/python

say() { printf 'oracle: %s\n' "$*" >&2; }

# The first interpreter that runs and is 3.11 or newer.
find_python() {
    for name in python3 python3.11 python3.12 python3.13 python3.14 python; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    return 1
}

use_venv() {
    stamp=$venv/.stamp-$1
    if cmp -s "$root/pyproject.toml" "$stamp" && [ -x "$python" ]; then
        return
    fi
    if [ ! -x "$python" ]; then
        found=$(find_python) || {
            say "Python 3.11 or newer is needed and was not found; install it, then run this again"
            exit 2
        }
        say "first use: setting up $venv with $found"
        "$found" -m venv "$venv" >&2 || {
            rm -rf "$venv"
            say "$found cannot make virtual environments; on Debian and Ubuntu install python3-venv"
            exit 2
        }
    fi
    say "installing minigrad-oracle[$1] (a few minutes the first time: PyTorch is large)"
    "$python" -m pip install --quiet --disable-pip-version-check --editable "$root[$1]" >&2 || {
        say "pip could not install the dependencies; see its words above"
        exit 2
    }
    cp "$root/pyproject.toml" "$stamp"
}
