# Sourced by the other scripts: finds the repository and a Python, makes .venv and keeps it up to date.
# It sets ROOT (the repository) and PYTHON (.venv's interpreter), and defines set_up_environment.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
VENV=$ROOT/.venv
PYTHON=$VENV/bin/python

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "${0##*/}: $*"
  exit 1
}

# The version of an interpreter, like 3.11; nothing when it does not run.
_python_version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true; }

# The Pythons that the pinned TensorFlow has releases for, the latest first; 2.22 is its first one for 3.14. When the pin
# moves there, `requires-python`, README.md, scripts/lock and docs/design/libraries.md are to say so as well.
SUPPORTED=(3.13 3.12 3.11)
SUPPORTED_IN_WORDS='3.11, 3.12 or 3.13'
if [[ $(cat "$ROOT/requirements.txt" 2>/dev/null) =~ tensorflow-cpu==2\.(2[2-9]|[3-9][0-9]) ]]; then
  SUPPORTED=(3.14 "${SUPPORTED[@]}")
  SUPPORTED_IN_WORDS='3.11, 3.12, 3.13 or 3.14'
fi

_is_supported() { [[ -n $1 && " ${SUPPORTED[*]} " == *" $1 "* ]]; }

# Prints the Python that .venv is made with: PIPELINE_PYTHON, else the first supported one that can make one.
_find_python() {
  local candidate version without_venv='' other=''
  for candidate in ${PIPELINE_PYTHON:+"$PIPELINE_PYTHON"} python3 "${SUPPORTED[@]/#/python}"; do
    version=$(_python_version "$candidate")
    if _is_supported "$version"; then
      if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
        command -v "$candidate"
        return
      fi
      without_venv=${without_venv:-$version}
    fi
    other=${other:-$version}
    [[ -z ${PIPELINE_PYTHON:-} ]] || break
  done
  if [[ -n $without_venv ]]; then
    fail "Python $without_venv cannot make a virtual environment: apt-get install python3-venv"
  elif [[ -n ${PIPELINE_PYTHON:-} ]]; then
    fail "PIPELINE_PYTHON=$PIPELINE_PYTHON is ${other:+Python $other, }not Python $SUPPORTED_IN_WORDS, which the pinned" \
      'TensorFlow has releases for'
  elif [[ -n $other ]]; then
    fail "Python $other will not do: the pinned TensorFlow has releases for Python $SUPPORTED_IN_WORDS only." \
      'Install one of them beside it (`uv python install 3.13`, or pyenv), and set PIPELINE_PYTHON to it'
  fi
  fail "no Python $SUPPORTED_IN_WORDS was found: apt-get install python3 python3-venv, or set PIPELINE_PYTHON"
}

# What .venv must have been made from: the interpreter's version and what the requirement files say.
_wanted_stamp() {
  "$PYTHON" - "$@" <<'PYTHON'
import hashlib, pathlib, sys
digest = hashlib.sha256()
for name in sys.argv[1:]:
    digest.update(pathlib.Path(name).read_bytes())
print("%d.%d.%d" % sys.version_info[:3], digest.hexdigest())
PYTHON
}

# Reads pip's output, keeps it in a log, and shows what is being done and for how long.
_show_pip() {
  local log=$1 started=$SECONDS shown=0 packages=0 step=starting line status
  while true; do
    status=0
    IFS= read -r -t 1 line || status=$?
    if ((status == 0)); then
      printf '%s\n' "$line" >>"$log"
      case $line in
        Collecting\ *)
          packages=$((packages + 1))
          line=${line#Collecting }
          step="package $packages: ${line%% *}"
          ;;
        'Installing collected'*) step="unpacking $packages packages" ;;
      esac
    elif ((status <= 128)); then # 128 and more: nothing came for a second; less: pip has ended
      break
    fi
    if [[ -t 2 ]]; then
      printf '\r\033[K  %d s, %s' $((SECONDS - started)) "$step" >&2
    elif ((SECONDS - started >= shown + 10)); then
      shown=$((SECONDS - started))
      say "  $shown s, $step"
    fi
  done
  [[ ! -t 2 ]] || printf '\r\033[K' >&2
}

_pip_install() {
  local log=$VENV/install.log started=$SECONDS
  : >"$log"
  if ! PYTHONUNBUFFERED=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
    "$PYTHON" -m pip install --no-input --progress-bar off "$@" 2>&1 | _show_pip "$log"; then
    rm -f "$VENV/.installing" # pip gave up by itself: what was there before is still whole
    tail -n 12 "$log" >&2
    fail "the packages could not be installed (is there a network?); all that pip said is in $log"
  fi
  say "  installed in $((SECONDS - started)) s"
}

_make_venv() {
  local python version
  python=$(_find_python)
  version=$(_python_version "$python")
  say "making .venv with Python $version"
  rm -rf "$VENV"
  "$python" -m venv "$VENV" >/dev/null || fail "could not make $VENV with $python -m venv"
}

# A .venv is whole when its Python is one of ours, has pip, and no installation was interrupted in it.
_venv_is_whole() {
  [[ -x $PYTHON && ! -e $VENV/.installing ]] || return 1
  local version
  version=$(_python_version "$PYTHON")
  _is_supported "$version" || return 1
  [[ -z ${PIPELINE_PYTHON:-} || $(_python_version "$PIPELINE_PYTHON") == "$version" ]] || return 1
  [[ -e $VENV/.runtime || -e $VENV/.development ]] || "$PYTHON" -m pip --version >/dev/null 2>&1
}

# set_up_environment runtime|development: afterwards $PYTHON has the packages of requirements.txt, and with
# `development` those of requirements-dev.txt as well. Needs the network only when those files have changed.
set_up_environment() {
  local kind=$1 stamp=$VENV/.$1 files=("$ROOT/requirements.txt") lock
  [[ $kind == runtime ]] || files+=("$ROOT/requirements-dev.txt")
  [[ -w $ROOT || -x $PYTHON ]] || fail "cannot write to $ROOT, where .venv is to be made"
  exec {lock}<"$ROOT"
  # Another script holds the lock for a moment even when it has nothing to set up: that needs no word.
  if command -v flock >/dev/null && ! flock -w 2 "$lock"; then
    say 'another script is setting up .venv: waiting for it'
    flock "$lock"
  fi
  if ! _venv_is_whole; then
    [[ ! -e $VENV ]] || say '.venv is incomplete or of another Python: making it anew'
    _make_venv
  fi
  local wanted
  wanted=$(_wanted_stamp "${files[@]}")
  if [[ $(cat "$stamp" 2>/dev/null || true) != "$wanted" ]]; then
    say 'installing the packages into .venv (the first time about 400 MB, TensorFlow most of it)'
    touch "$VENV/.installing"
    trap 'exit 130' INT TERM # after Ctrl-C nothing is known about what pip has left: .installing stays
    _pip_install "${files[@]/#/--requirement=}"
    printf '%s\n' "$wanted" >"$stamp"
    [[ $kind == runtime ]] || _wanted_stamp "$ROOT/requirements.txt" >"$VENV/.runtime" # installed along with it
    rm "$VENV/.installing"
    trap - INT TERM
  fi
  exec {lock}<&-
}

# set_up_beside NAME SIZE LIST FLAG...: an environment var/NAME with the packages of LIST, about SIZE MB. In a subshell:
# it takes the place of ours there.
set_up_beside() (
  VENV=$ROOT/var/$1
  PYTHON=$VENV/bin/python
  mkdir -p "${VENV%/*}"
  exec {lock}<"${VENV%/*}"
  ! command -v flock >/dev/null || flock "$lock"
  [[ ! -x $PYTHON || $(cat "$VENV/.peers" 2>/dev/null || true) != "$(_wanted_stamp "$3")" ]] || exit 0
  say "installing other systems into var/$1 (about $2 MB, a minute)"
  PIPELINE_PYTHON=${PIPELINE_PYTHON:-$ROOT/.venv/bin/python} _make_venv
  _pip_install "${@:4}" --requirement="$3"
  _wanted_stamp "$3" >"$VENV/.peers"
)

# install_with_apt MISSING: when this is root on Debian, installs the packages that the function MISSING prints, one a
# line. Fails when some are missing still.
install_with_apt() {
  local packages log
  mapfile -t packages < <("$1")
  ((${#packages[@]})) || return 0
  if ((EUID == 0)) && command -v apt-get >/dev/null; then
    say "installing ${packages[*]} with apt-get"
    log=$(mktemp)
    "$ROOT/scripts/_apt_install" "${packages[@]}" >"$log" 2>&1 || tail -n 12 "$log" >&2
    rm -f "$log"
  fi
  [[ -z $("$1") ]]
}
