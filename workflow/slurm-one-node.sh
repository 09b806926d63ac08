#!/bin/bash
# Runs a sweep through Slurm on this machine: a cluster of one node, from Debian's packages. Run it as root, on a machine
# (or in a container) on which nobody else uses Slurm:
#
#     apt-get install slurm-wlm munge
#     workflow/slurm-one-node.sh workflow/quick.json /tmp/slurm-sweep
#
# Starts munged, slurmctld and slurmd, runs the workflow with Snakemake's Slurm executor, shows Slurm's record of the jobs,
# and stops the three daemons.
set -euo pipefail
sweep=$(realpath "$1")
out=$(realpath -m "$2")
here=$(dirname "$(realpath "$0")")
state=$(mktemp -d /tmp/slurm-XXXXXX)
host=$(hostname -s)
# Snakemake does not pass SLURM_CONF to its jobs, so the file must be in the usual place.
conf=/etc/slurm/slurm.conf
if [ -e "$conf" ]; then
  echo "$conf exists already: this machine has its own Slurm; use another machine." >&2
  exit 1
fi

cat > "$conf" <<EOF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
StateSaveLocation=$state/state
SlurmdSpoolDir=$state/spool
SlurmctldPidFile=$state/slurmctld.pid
SlurmdPidFile=$state/slurmd.pid
SlurmctldLogFile=$state/slurmctld.log
SlurmdLogFile=$state/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$state/completed
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=4000 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
EOF
mkdir -p "$state/state" "$state/spool" /run/munge
[ -e /etc/munge/munge.key ] || /usr/sbin/mungekey --create
chown -R munge: /etc/munge /run/munge

pids=()
stop() {
  kill "${pids[@]}" 2> "$state/kill.log" || true
  wait
  rm -rf "$state" "$conf"
}
trap stop EXIT
runuser -u munge -- /usr/sbin/munged --foreground > "$state/munged.log" 2>&1 &
pids+=($!)
sleep 1
slurmctld -D > "$state/slurmctld.out" 2>&1 &
pids+=($!)
slurmd -D > "$state/slurmd.out" 2>&1 &
pids+=($!)
for _ in $(seq 30); do
  if [ "$(sinfo --noheader --format=%T 2> "$state/sinfo.log")" = idle ]; then break; fi
  sleep 1
done
sinfo

# Without an accounting database Snakemake must ask squeue; by default it would wait for sacct for ever.
node "$here/run.mjs" --executor slurm --jobs 4 --config sweep="$sweep" out="$out" minutes=10 \
  --slurm-no-account --slurm-status-command squeue \
  --slurm-init-seconds-before-status-checks 5 --seconds-between-status-checks 5

echo "Slurm's record of its jobs:"
sed -E 's/ (GroupId|Procs|ReservationName|Tres|Account|QOS|WcKey|Cluster|SubmitTime|EligibleTime|DerivedExitCode|WorkDir)=[^ ]*//g' "$state/completed"
find "$out" -name '*.json' | sort
