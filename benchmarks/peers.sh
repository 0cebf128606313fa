#!/bin/sh
# Installs the programs that `make bench` measures beside govern and that do not come with it: Python's each into an
# environment of its own, and the commands of all into .peers/bin. One that cannot be had is named and left out.
cd "$(dirname "$0")/.." || exit 1
export UV_TOOL_DIR="$PWD/.peers/tools" UV_TOOL_BIN_DIR="$PWD/.peers/bin"
mkdir -p "$UV_TOOL_BIN_DIR"

for peer in results==2.0.1789346060 sqlfluff==4.5.0 ast-grep-cli==0.51.1 semgrep==1.180.0; do
    .venv/bin/uv tool install --quiet --python .venv/bin/python --force "$peer" || echo "not installed: $peer" >&2
done

# npm's command is a script that starts the program: what is measured is the program
if npm install --silent --no-save --prefix .peers dbmate@2.36.0; then
    ln -sf "$PWD"/.peers/node_modules/@dbmate/*/bin/dbmate "$UV_TOOL_BIN_DIR/dbmate"
else
    echo "not installed: dbmate" >&2
fi
ls "$UV_TOOL_BIN_DIR"
