#include "context.h"

#include <cstdlib>

#include "absl/log/globals.h"
#include "clock.h"
#include "status.h"
#include "tensorflow/c/c_api_experimental.h"
#include "tensorflow/c/eager/c_api_experimental.h"

namespace simsiam {
namespace {

void appendVarint(std::string* bytes, uint64_t value) {
  for (; value >= 128; value >>= 7) bytes->push_back(static_cast<char>(value | 128));
  bytes->push_back(static_cast<char>(value));
}

// A serialized tensorflow.ConfigProto. Field numbers are of tensorflow/core/protobuf/config.proto.
std::string configProto(int threads) {
  std::string bytes;
  auto field = [&bytes](int number, uint64_t value) {
    appendVarint(&bytes, static_cast<uint64_t>(number) << 3);
    appendVarint(&bytes, value);
  };
  field(2, threads);  // intra_op_parallelism_threads
  field(5, threads);  // inter_op_parallelism_threads
  field(7, 1);        // allow_soft_placement: ops without a GPU kernel run on the CPU
  appendVarint(&bytes, (6 << 3) | 2);  // gpu_options { allow_growth: true }
  appendVarint(&bytes, 2);
  field(4, 1);
  return bytes;
}

// TensorFlow obeys TF_CPP_MIN_LOG_LEVEL, the libraries inside it log through Abseil and don't.
void quietAbseil() {
  const char* level = getenv("TF_CPP_MIN_LOG_LEVEL");
  if (level != nullptr) absl::SetMinLogLevel(static_cast<absl::LogSeverityAtLeast>(atoi(level)));
}

struct DeviceList {
  DeviceList(TFE_Context* context, const Status& status) : list(TFE_ContextListDevices(context, status.get())) {}
  ~DeviceList() { TF_DeleteDeviceList(list); }
  TF_DeviceList* list;
};

}  // namespace

std::shared_ptr<Context> Context::open(int threads) {
  quietAbseil();
  registerClock();
  std::shared_ptr<Context> context(new Context);
  Status status;
  TFE_ContextOptions* options = TFE_NewContextOptions();
  const std::string config = configProto(threads);
  TFE_ContextOptionsSetConfig(options, config.data(), config.size(), status.get());
  if (status.ok()) context->context_ = TFE_NewContext(options, status.get());
  TFE_DeleteContextOptions(options);
  status.check();
  context->chooseDevice();
  return context;
}

void Context::join(const std::string& serverDef) {
  Status status;
  TF_Buffer* server = TFE_GetServerDef(serverDef.c_str(), status.get());
  status.check();
  TFE_EnableCollectiveOps(context_, server->data, server->length, status.get());
  TF_DeleteBuffer(server);
  status.check();
  cluster_ = true;
  chooseDevice();  // The server has devices of its own, under its own names.
}

Context::~Context() {
  // TensorFlow's gRPC server has no clean shutdown: deleting the context of a cluster could wait for ever for a peer.
  if (context_ != nullptr && !cluster_) TFE_DeleteContext(context_);
}

void Context::chooseDevice() {
  gpu_ = chooseDevice("GPU");
  if (!gpu_) chooseDevice("CPU");
}

bool Context::chooseDevice(const std::string& preferredType) {
  Status status;
  DeviceList devices(context_, status);
  status.check();
  for (int i = 0; i < TF_DeviceListCount(devices.list); i++) {
    if (preferredType != TF_DeviceListType(devices.list, i, status.get())) continue;
    device_ = TF_DeviceListName(devices.list, i, status.get());
    return true;
  }
  return false;
}

}  // namespace simsiam
