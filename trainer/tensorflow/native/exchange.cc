#include "exchange.h"

#ifdef __linux__

#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace simsiam {
namespace {

// Some ten microseconds: about what it takes to fall asleep and to be woken.
constexpr int kSpins = 500;
constexpr long kSleepNanoseconds = 100'000'000;  // between two looks whether the other process still lives

void spin() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Returns early when woken, when the value differs already, and now and then without a reason.
void sleepWhile(const std::atomic<uint32_t>& word, uint32_t value) {
  const timespec most{0, kSleepNanoseconds};
  syscall(SYS_futex, &word, FUTEX_WAIT, value, &most, nullptr, 0);
}

void wakeAll(const std::atomic<uint32_t>& word) { syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0); }

struct File {
  explicit File(const std::string& path) : descriptor(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW)) {}
  ~File() {
    if (descriptor >= 0) close(descriptor);
  }
  const int descriptor;
};

Failure unusable(const std::string& path) {
  return Failure("TF_UNAVAILABLE", "the memory that ranks share can't be mapped: " + path + ": " + strerror(errno));
}

}  // namespace

void Exchange::join(const std::string& path, int rank, int ranks) {
  if (memory_ != nullptr || ranks > kMostRanks) throw Failure(kMisuse, "joinExchange: once, and with 30 ranks at most");
  const File file(path);
  struct stat status;
  if (file.descriptor < 0 || fstat(file.descriptor, &status) != 0) throw unusable(path);
  slotBytes_ = (status.st_size - kHeaderBytes) / (2 * ranks) / 64 * 64;
  if (slotBytes_ <= 0) throw Failure(kMisuse, "joinExchange: the file is too small for its slots");
  void* memory = mmap(nullptr, status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file.descriptor, 0);
  if (memory == MAP_FAILED) throw unusable(path);
  memory_ = static_cast<char*>(memory);
  rank_ = rank;
  ranks_ = ranks;
  header().lines[rank].process = getpid();
  if (header().joined.fetch_add(1) + 1 == ranks) unlink(path.c_str());
}

void Exchange::leave() {
  if (memory_ == nullptr) return;
  Line& line = header().lines[rank_];
  line.left = 1;
  wakeAll(line.published);
}

void Exchange::publish() {
  Line& line = header().lines[rank_];
  line.published.store(++published_, std::memory_order_release);
  wakeAll(line.published);
  for (int rank = 0; rank < ranks_; rank++)
    if (rank != rank_) await(rank);
}

void Exchange::await(int rank) const {
  const Line &line = header().lines[rank], &own = header().lines[rank_];
  bool gone = false;
  for (int spins = 0;; spins++) {
    const uint32_t published = line.published.load(std::memory_order_acquire);
    if (static_cast<int32_t>(published - published_) >= 0) return;
    if (own.left) throw Failure("TF_CANCELLED", "the call was cancelled while it waited for other ranks");
    // Whether it was gone is looked at before what it has published. Of an op's TF_UNAVAILABLE TensorFlow makes TF_INTERNAL.
    if (gone) throw Failure("TF_ABORTED", "rank " + std::to_string(rank) + " is gone");
    if (spins < kSpins) {
      spin();
      continue;
    }
    if (!line.left) sleepWhile(line.published, published);
    const pid_t process = line.process;
    gone = line.left || (process != 0 && kill(process, 0) != 0 && errno == ESRCH);
  }
}

}  // namespace simsiam

#else

namespace simsiam {

void Exchange::join(const std::string&, int, int) { throw Failure(kMisuse, "joinExchange: on Linux only"); }
void Exchange::leave() {}
void Exchange::publish() {}

}  // namespace simsiam

#endif

namespace simsiam {

Exchange& Exchange::own() {
  static Exchange* const only = new Exchange;  // calls in flight outlive statics
  return *only;
}

napi_value joinExchange(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  Exchange::own().join(toString(env, args[0]), static_cast<int>(toNumber(env, args[1])), static_cast<int>(toNumber(env, args[2])));
  return nullptr;
}

napi_value leaveExchange(napi_env, napi_callback_info) {
  Exchange::own().leave();
  return nullptr;
}

}  // namespace simsiam
