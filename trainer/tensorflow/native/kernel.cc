#include "kernel.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "status.h"
#include "tensorflow/c/ops.h"

namespace simsiam {

std::vector<int64_t> KernelTensor::shape() const {
  std::vector<int64_t> shape;
  for (int i = 0; i < TF_NumDims(tensor_.get()); i++) shape.push_back(TF_Dim(tensor_.get(), i));
  return shape;
}

KernelTensor KernelCall::input(int index) const {
  Status status;
  TF_Tensor* tensor = nullptr;
  TF_GetInput(context_, index, &tensor, status.get());
  status.check();
  return KernelTensor(tensor);
}

KernelTensor KernelCall::output(int index, TF_DataType type, const std::vector<int64_t>& shape) const {
  size_t bytes = TF_DataTypeSize(type);
  for (int64_t dimension : shape) bytes *= dimension;
  Status status;
  TF_Tensor* tensor = TF_AllocateOutput(context_, index, type, shape.data(), static_cast<int>(shape.size()), bytes, status.get());
  status.check();
  return KernelTensor(tensor);
}

KernelTensor KernelCall::outputOver(const std::vector<int>& inputs, int index) const {
  // Asked for its shape in a scope of its own: who holds an input can't have its memory.
  const std::vector<int64_t> shape = input(inputs[0]).shape();
  Status status;
  int forwarded = -1;
  TF_Tensor* tensor = TF_ForwardInputOrAllocateOutput(context_, inputs.data(), static_cast<int>(inputs.size()), index,
                                                      shape.data(), static_cast<int>(shape.size()), &forwarded, status.get());
  status.check();
  return KernelTensor(tensor);
}

void* readAttributes(TF_OpKernelConstruction* construction) {
  auto attributes = std::make_unique<KernelAttributes>();
  const TF_StringView name = TF_OpKernelConstruction_GetName(construction);
  attributes->node.assign(name.data, name.len);
  Status status;
  const auto has = [&](const char* name) { return status.ok() && TF_OpKernelConstruction_HasAttr(construction, name, status.get()); };
  if (has("epsilon")) TF_OpKernelConstruction_GetAttrFloat(construction, "epsilon", &attributes->epsilon, status.get());
  if (has("momentum")) TF_OpKernelConstruction_GetAttrFloat(construction, "momentum", &attributes->momentum, status.get());
  if (has("weight_decay")) TF_OpKernelConstruction_GetAttrFloat(construction, "weight_decay", &attributes->weightDecay, status.get());
  if (has("factor")) TF_OpKernelConstruction_GetAttrFloat(construction, "factor", &attributes->factor, status.get());
  const auto count = [&](const char* name, int64_t* to) {
    if (has(name)) TF_OpKernelConstruction_GetAttrInt64(construction, name, to, status.get());
  };
  count("outputs", &attributes->outputs);
  count("kernel", &attributes->kernel);
  count("stride", &attributes->stride);
  const auto flag = [&](const char* name) {
    TF_Bool value = 0;
    if (has(name)) TF_OpKernelConstruction_GetAttrBool(construction, name, &value, status.get());
    return value != 0;
  };
  attributes->relu = flag("relu");
  attributes->turned = flag("turned");
  attributes->paired = flag("paired");
  attributes->greatest = flag("greatest");
  if (!status.ok()) TF_OpKernelConstruction_Failure(construction, status.get());
  return attributes.release();
}

void deleteAttributes(void* attributes) { delete static_cast<KernelAttributes*>(attributes); }

// Tells how long a kernel took, as oneDNN tells of its own.
class KernelClock {
 public:
  explicit KernelClock(const std::string& node) : node_(node) {
    static const bool wanted = getenv("SIMSIAM_KERNEL_TIMES") != nullptr;
    wanted_ = wanted;
  }
  ~KernelClock() {
    if (!wanted_) return;
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start_;
    printf("simsiam_kernel,exec,%s,%g\n", node_.c_str(), took.count());
    fflush(stdout);
  }

 private:
  const std::string& node_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  bool wanted_;
};

void runKernel(KernelBody body, void* attributes, TF_OpKernelContext* context) {
  const auto& own = *static_cast<KernelAttributes*>(attributes);
  const KernelClock clock(own.node);
  Status status;
  try {  // nothing that is thrown must pass through TensorFlow
    return body(own, KernelCall(context));
  } catch (const Failure& failure) {
    TF_SetStatus(status.get(), codeOf(failure.code), failure.what());
  } catch (const std::exception& error) {
    TF_SetStatus(status.get(), TF_INTERNAL, error.what());
  }
  TF_OpKernelContext_Failure(context, status.get());
}

void registerKernel(const KernelDefinition& definition, TF_KernelBuilder* builder) {
  TF_OpDefinitionBuilder* op = TF_NewOpDefinitionBuilder(definition.op);
  for (const char* attribute : definition.attributes) TF_OpDefinitionBuilderAddAttr(op, attribute);
  for (const char* input : definition.inputs) TF_OpDefinitionBuilderAddInput(op, input);
  for (const char* output : definition.outputs) TF_OpDefinitionBuilderAddOutput(op, output);
  TF_OpDefinitionBuilderSetIsStateful(op, definition.stateful);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, TF_ShapeInferenceContextSetUnknownShape);
  Status status;
  TF_RegisterOpDefinition(op, status.get());
  if (!status.ok()) TF_DeleteKernelBuilder(builder);
  status.check();
  TF_RegisterKernelBuilder(definition.op, builder, status.get());
  status.check();
}

}  // namespace simsiam
