#include "runtime.h"

#include <thread>

#include "kernels.h"
#include "status.h"
#include "thread_pool.h"

namespace simsiam {

std::shared_ptr<Runtime> Runtime::start(napi_env env, std::shared_ptr<Context> context) {
  std::shared_ptr<Runtime> runtime(new Runtime(std::move(context)));
  // Node keeps the runtime until `stopListening`, the last that it calls with it.
  auto kept = std::make_unique<std::shared_ptr<Runtime>>(runtime);
  check(napi_create_threadsafe_function(env, nullptr, nullptr, newString(env, "simsiam:call"), 0, 1, kept.get(),
                                        stopListening, runtime.get(), settle, &runtime->settled_),
        "making a thread-safe function");
  kept.release();
  check(napi_unref_threadsafe_function(env, runtime->settled_), "letting the event loop go");
  // Detached: a call that waits for a lost peer must not hold the end of the process.
  std::thread([runtime] { runtime->run(); }).detach();
  return runtime;
}

void Runtime::enqueue(napi_env env, std::shared_ptr<Call> call) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) throw Failure("NATIVE_DISPOSED", "this runtime was closed before");
    queue_.push_back(std::move(call));
  }
  if (unsettled_++ == 0) napi_ref_threadsafe_function(env, settled_);
  wake_.notify_one();
}

void Runtime::close() {
  std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  for (auto& call : queue_) TFE_CancellationManagerStartCancel(call->cancellation);
  if (running_) TFE_CancellationManagerStartCancel(running_->cancellation);
  wake_.notify_one();
}

void Runtime::run() {
  for (;;) {
    std::shared_ptr<Call> call;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      running_.reset();
      wake_.wait(lock, [this] { return closed_ || !queue_.empty(); });
      if (queue_.empty()) break;
      call = std::move(queue_.front());
      queue_.pop_front();
      running_ = call;
    }
    execute(call.get());
    call->inputs.clear();
    if (!answer(std::move(call))) return;
  }
  std::lock_guard<std::mutex> lock(mutex_);
  if (listening_) napi_release_threadsafe_function(settled_, napi_tsfn_release);
}

bool Runtime::answer(std::shared_ptr<Call> call) {
  auto data = std::make_unique<std::shared_ptr<Call>>(std::move(call));
  std::lock_guard<std::mutex> lock(mutex_);
  if (!listening_ || napi_call_threadsafe_function(settled_, data.get(), napi_tsfn_nonblocking) != napi_ok) return false;
  data.release();  // `settle` has it now
  return true;
}

void Runtime::stopListening(napi_env, void* data, void*) {
  std::unique_ptr<std::shared_ptr<Runtime>> kept(static_cast<std::shared_ptr<Runtime>*>(data));
  std::lock_guard<std::mutex> lock((*kept)->mutex_);
  (*kept)->listening_ = false;
}

void Runtime::execute(Call* call) const {
  if (TFE_CancellationManagerIsCancelled(call->cancellation)) {
    call->code = "TF_CANCELLED";
    call->message = "cancelled before it began";
    return;
  }
  Status status;
  TFE_Op* op = TFE_NewOp(context_->get(), call->function->name().c_str(), status.get());
  if (status.ok()) TFE_OpSetDevice(op, context_->device().c_str(), status.get());
  for (size_t i = 0; status.ok() && i < call->inputs.size(); i++) TFE_OpAddInput(op, call->inputs[i]->get(), status.get());
  if (status.ok()) TFE_OpSetCancellationManager(op, call->cancellation, status.get());
  std::vector<TFE_TensorHandle*> outputs(call->function->outputs());
  int count = static_cast<int>(outputs.size());
  if (status.ok()) TFE_Execute(op, outputs.data(), &count, status.get());
  if (op != nullptr) TFE_DeleteOp(op);
  if (!status.ok()) {
    call->code = codeName(status.code());
    call->message = status.message();
    return;
  }
  call->outputs.reserve(count);
  for (int i = 0; i < count; i++) call->outputs.push_back(std::make_shared<Handle>(context_, outputs[i]));
}

void Runtime::settle(napi_env env, napi_value, void* context, void* data) {
  const std::unique_ptr<std::shared_ptr<Call>> answer(static_cast<std::shared_ptr<Call>*>(data));
  if (env == nullptr) return;  // the environment ends, after `stopListening`
  auto* runtime = static_cast<Runtime*>(context);
  const std::shared_ptr<Call>& call = *answer;
  if (--runtime->unsettled_ == 0) napi_unref_threadsafe_function(env, runtime->settled_);
  call->function.reset();  // JavaScript may hold the call for long
  try {
    if (!call->code.empty()) {
      napi_reject_deferred(env, call->deferred, newError(env, call->code, call->message));
      return;
    }
    napi_value lists = newArray(env, call->groups.size());
    auto next = call->outputs.begin();
    for (size_t i = 0; i < call->groups.size(); i++) {
      auto tensors = std::make_shared<Tensors>();
      tensors->handles.assign(next, next + call->groups[i]);
      next += call->groups[i];
      setElement(env, lists, i, newTensors(env, std::move(tensors)));
    }
    call->outputs.clear();
    napi_resolve_deferred(env, call->deferred, lists);
  } catch (const Failure& failure) {
    napi_reject_deferred(env, call->deferred, newError(env, failure.code, failure.message));
  }
}

// openRuntime(threads) -> runtime
napi_value openRuntime(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  const int threads = static_cast<int>(toNumber(env, args[0]));
  registerKernels();
  usePoolThreads(threads);
  auto context = Context::open(threads);
  return box<Runtime>(env, Runtime::start(env, std::move(context)), deleteBox<Runtime>);
}

// joinCluster(runtime, serverDef)
napi_value joinCluster(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  unbox<Runtime>(env, args[0])->context()->join(toString(env, args[1]));
  return nullptr;
}

// onGpu(runtime) -> boolean
napi_value onGpu(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  return newBoolean(env, unbox<Runtime>(env, args[0])->context()->gpu());
}

// closeRuntime(runtime)
napi_value closeRuntime(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  auto* boxed = boxOf<Runtime>(env, args[0]);
  if (boxed->object) boxed->object->close();
  boxed->object.reset();
  return nullptr;
}

// callFunction(runtime, function, inputs, outputGroups) -> {promise, call}
napi_value callFunction(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  auto runtime = unbox<Runtime>(env, args[0]);
  auto call = std::make_shared<Call>();
  call->function = unbox<Function>(env, args[1]);
  for (uint32_t i = 0, n = lengthOf(env, args[2]); i < n; i++) {
    auto list = unbox<Tensors>(env, elementOf(env, args[2], i));
    call->inputs.insert(call->inputs.end(), list->handles.begin(), list->handles.end());
  }
  call->groups = toNumbers<size_t>(env, args[3]);
  size_t outputs = 0;
  for (size_t group : call->groups) outputs += group;
  if (outputs != call->function->outputs()) throw Failure(kMisuse, "callFunction: the groups don't cover the outputs");
  napi_value promise, result = newObject(env);
  check(napi_create_promise(env, &call->deferred, &promise), "making a promise");
  setProperty(env, result, "promise", promise);
  setProperty(env, result, "call", box<Call>(env, call, deleteBox<Call>));
  runtime->enqueue(env, std::move(call));
  return result;
}

// cancelCall(call)
napi_value cancelCall(napi_env env, napi_callback_info info) {
  Arguments args(env, info);
  TFE_CancellationManagerStartCancel(unbox<Call>(env, args[0])->cancellation);
  return nullptr;
}

}  // namespace simsiam
