#include "threads.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <list>
#include <mutex>
#include <thread>

namespace {

struct Job {
  const int64_t count;
  const std::function<void(int64_t)>& piece;
  std::atomic<int64_t> next{0};
  int64_t ended = 0;  // guarded by the crew's mutex
  int workers = 0;    // guarded by the crew's mutex
};

int countThreads() {
  const char* wanted = std::getenv("TF_NUM_INTRAOP_THREADS");
  if (wanted && std::atoi(wanted) > 0) return std::atoi(wanted);
  cpu_set_t allowed;
  const bool known = sched_getaffinity(0, sizeof allowed, &allowed) == 0;
  return known ? std::max(1, CPU_COUNT(&allowed)) : 1;
}

class Crew {
 public:
  Crew() {
    for (int i = 1; i < threadCount(); i++) std::thread([this] { serve(); }).detach();
  }

  void run(Job& job) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      jobs_.push_back(&job);
    }
    called_.notify_all();
    const int64_t own = work(job);
    std::unique_lock<std::mutex> lock(mutex_);
    jobs_.remove(&job);
    job.ended += own;
    // A worker may still be on its way out of the job, which lives on the caller's stack.
    finished_.wait(lock, [&] { return job.ended == job.count && job.workers == 0; });
  }

 private:
  static int64_t work(Job& job) {
    int64_t done = 0;
    for (int64_t i; (i = job.next.fetch_add(1)) < job.count; done++) job.piece(i);
    return done;
  }

  void serve() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      called_.wait(lock, [&] { return !jobs_.empty(); });
      Job& job = *jobs_.front();
      // Nothing is left to begin there: its caller waits for what others still do.
      if (job.next >= job.count) {
        jobs_.pop_front();
        continue;
      }
      job.workers++;
      lock.unlock();
      const int64_t done = work(job);
      lock.lock();
      job.workers--;
      job.ended += done;
      finished_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable called_, finished_;
  std::list<Job*> jobs_;
};

}  // namespace

int threadCount() {
  static const int count = countThreads();
  return count;
}

void inPieces(int64_t count, const std::function<void(int64_t)>& piece) {
  if (count <= 1 || threadCount() == 1) {
    for (int64_t i = 0; i < count; i++) piece(i);
    return;
  }
  // Never destroyed: its threads wait in it until the process ends.
  static Crew& crew = *new Crew;
  Job job{count, piece};
  crew.run(job);
}
