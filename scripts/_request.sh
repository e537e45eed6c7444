# Sourced by the curl scripts: `request METHOD PATH [curl arguments]` prints the gateway's JSON answer and a newline.
# PIPELINE_URL points elsewhere than to a gateway on this machine; PIPELINE_TOKEN is the key that is sent along.

DATA=$(cd "$(dirname "${BASH_SOURCE[0]}")/../data" && pwd -P)
URL=${PIPELINE_URL:-http://127.0.0.1:54321}
URL=${URL%/}

fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# The key as a line of curl's configuration: an argument could be read by whoever lists the processes.
token() { [[ -z ${PIPELINE_TOKEN:-} ]] || printf 'header = "Authorization: Token %s"\n' "$PIPELINE_TOKEN"; }

request() {
  local method=$1 path=$2 status=0
  shift 2
  command -v curl >/dev/null || fail 'curl is not installed: apt-get install curl'
  curl --config <(token) --silent --noproxy localhost,127.0.0.1,::1 --write-out '\n' --request "$method" "$@" "$URL$path" || status=$?
  ((status == 0)) || fail "no server answers at $URL (curl's exit status $status): start one with scripts/serve"
}

predict() { request POST /predict --header 'Content-Type: application/json' --data "{\"vector\": $1}"; }

# set_weights NN_ID FILE: a file of - is read from standard input.
set_weights() {
  request PUT /set_weights --form "nn_id=$1" --form "data=@$2;filename=${2##*/};type=application/octet-stream"
}

# set_sample NN_ID: the sample weights of that network, data/<nn_id>_<crc32>.b64.
set_sample() {
  local files=("$DATA/$1"_*.b64)
  [[ -f ${files[0]} ]] || fail "there is no sample $1_*.b64 in $DATA"
  set_weights "$1" "${files[0]}"
}
