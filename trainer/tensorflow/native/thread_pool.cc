#include "thread_pool.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace simsiam {
namespace {

class FlushDenormals {
 public:
#if defined(__x86_64__)
  FlushDenormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040); }
  ~FlushDenormals() { _mm_setcsr(before_); }

 private:
  unsigned before_;
#elif defined(__aarch64__)
  FlushDenormals() {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" : : "r"(before_ | (uint64_t{1} << 24)));
  }
  ~FlushDenormals() { asm volatile("msr fpcr, %0" : : "r"(before_)); }

 private:
  uint64_t before_;
#endif
};

// One loop: whoever works on it takes the next index.
struct Loop {
  Loop(int64_t count, const std::function<void(int64_t)>& body) : count(count), body(body) {}
  const int64_t count;
  const std::function<void(int64_t)>& body;  // lives until all indices are done, and is called for these alone
  std::atomic<int64_t> next{0};
  std::mutex mutex;
  std::condition_variable finished;
  int64_t done = 0;

  void work() {
    const FlushDenormals flush;
    int64_t own = 0;
    for (int64_t i = next++; i < count; i = next++, own++) body(i);
    if (own == 0) return;
    std::lock_guard<std::mutex> lock(mutex);
    done += own;
    if (done == count) finished.notify_all();
  }

  void wait() {
    std::unique_lock<std::mutex> lock(mutex);
    finished.wait(lock, [this] { return done == count; });
  }
};

struct Pool {
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::shared_ptr<Loop>> helpWanted;
  int helpers = 0;

  void help() {
    for (;;) {
      std::shared_ptr<Loop> loop;
      {
        std::unique_lock<std::mutex> lock(mutex);
        wake.wait(lock, [this] { return !helpWanted.empty(); });
        loop = std::move(helpWanted.front());
        helpWanted.pop_front();
      }
      loop->work();
    }
  }
};

// Never destroyed: its threads are detached and may outlive static objects.
Pool& pool() {
  static Pool* const only = new Pool;
  return *only;
}

}  // namespace

void usePoolThreads(int threads) {
  Pool& shared = pool();
  std::lock_guard<std::mutex> lock(shared.mutex);
  for (; shared.helpers < threads - 1; shared.helpers++) std::thread([&shared] { shared.help(); }).detach();
}

void parallelFor(int64_t count, const std::function<void(int64_t)>& body) {
  const auto loop = std::make_shared<Loop>(count, body);
  if (count > 1) {
    Pool& shared = pool();
    std::lock_guard<std::mutex> lock(shared.mutex);
    for (int64_t i = 0; i < shared.helpers && i < count - 1; i++) shared.helpWanted.push_back(loop);
    shared.wake.notify_all();
  }
  loop->work();
  loop->wait();
}

}  // namespace simsiam
