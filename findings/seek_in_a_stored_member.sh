#!/usr/bin/env bash
# In a member that a zip file stores as it is, `ZipExtFile.seek` of Python 3.11 and before reads all bytes up to the place
# it goes to, where a seek in the file would do. From 3.12 on it seeks forward in the file; back by more than its buffer,
# all of them begin at the member's start again and read on from there.
#
# Versions: Python 3.10.13, 3.11.2, 3.11.7, 3.12.1, 3.13.0; their zipfile alone, no packages.
# Seen: to go to 10 bytes before the end of a stored member of 10,000,000, 3.10 and 3.11 read 9,999,990 bytes, 3.12 and
# 3.13 none; from the end back to 9,000,000 all read 9,000,000.
# Looks at python3 and at those of python3.10 to python3.13 that are there, and fails when one does otherwise.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/look.py" <<'PYTHON'
import io
import sys
import zipfile

SIZE = 10_000_000


class Counted(io.FileIO):
    count = 0

    def read(self, size=-1):
        got = super().read(size)
        self.count += len(got)
        return got


def read_to_go(to):
    file.count = 0
    member.seek(to)
    return file.count


path = sys.argv[1]
with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
    archive.writestr("member", bytes(SIZE - 10) + b"the ending")
with Counted(path) as file, zipfile.ZipFile(file) as archive, archive.open("member") as member:
    forward = read_to_go(SIZE - 10)
    ending = member.read()
    back = read_to_go(9_000_000)
print(f"{sys.version.split()[0]}: {forward} bytes read to go to {SIZE - 10}, {back} to go back to 9000000")
expected = (0 if sys.version_info >= (3, 12) else SIZE - 10, 9_000_000, b"the ending")
sys.exit((forward, back, ending) != expected)
PYTHON
for python in python3 python3.10 python3.11 python3.12 python3.13; do
    if [[ $python == python3 ]] || "$python" -c '' 2>/dev/null; then
        "$python" "$folder/look.py" "$folder/members.zip"
    fi
done
