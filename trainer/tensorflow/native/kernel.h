// TensorFlow's C API of ops and kernels, made short: tensors that go away by themselves, failures as exceptions.
#ifndef SIMSIAM_KERNEL_H_
#define SIMSIAM_KERNEL_H_

#include <memory>
#include <string>
#include <vector>

#include "tensorflow/c/kernels.h"

namespace simsiam {

// An input or an output of a running kernel.
class KernelTensor {
 public:
  explicit KernelTensor(TF_Tensor* tensor) : tensor_(tensor, TF_DeleteTensor) {}
  template <class T>
  T* data() const { return static_cast<T*>(TF_TensorData(tensor_.get())); }
  TF_DataType type() const { return TF_TensorType(tensor_.get()); }
  int64_t size() const { return TF_TensorElementCount(tensor_.get()); }
  // Of the last axis.
  int64_t channels() const { return TF_Dim(tensor_.get(), TF_NumDims(tensor_.get()) - 1); }
  std::vector<int64_t> shape() const;

 private:
  std::unique_ptr<TF_Tensor, void (*)(TF_Tensor*)> tensor_;
};

class KernelCall {
 public:
  explicit KernelCall(TF_OpKernelContext* context) : context_(context) {}
  int inputs() const { return TF_NumInputs(context_); }
  KernelTensor input(int index) const;
  KernelTensor output(int index, TF_DataType type, const std::vector<int64_t>& shape) const;
  // In the memory of the first of these inputs that nobody else reads any more, else in memory of its own. It has the type
  // and shape of the first of them. Elements may then be read and written in turn, each at its place only.
  KernelTensor outputOver(const std::vector<int>& inputs, int index) const;

 private:
  TF_OpKernelContext* context_;
};

// The attributes that our kernels have; those that an op lacks keep their start.
struct KernelAttributes {
  std::string node;  // the op's name in its graph
  float epsilon = 0;
  float momentum = 0;
  float weightDecay = 0;
  float factor = 1;
  bool relu = false;
  bool turned = false;
  bool paired = false;
  bool greatest = false;
  int64_t outputs = 0, kernel = 0, stride = 0;
};

using KernelBody = void (*)(const KernelAttributes&, const KernelCall&);

struct KernelDefinition {
  const char* op;
  std::vector<const char*> inputs, outputs, attributes;
  // Whether what it does differs from call to call: calls with the same inputs are not made one.
  bool stateful = false;
};

void* readAttributes(TF_OpKernelConstruction* construction);
void deleteAttributes(void* attributes);
void runKernel(KernelBody body, void* attributes, TF_OpKernelContext* context);
void registerKernel(const KernelDefinition& definition, TF_KernelBuilder* builder);

// Registers an op and its kernel for CPUs, once a process. Shapes are for the caller to say, who knows them.
template <KernelBody Body>
void addKernel(const KernelDefinition& definition) {
  registerKernel(definition,
                 TF_NewKernelBuilder(definition.op, "CPU", readAttributes,
                                     [](void* attributes, TF_OpKernelContext* context) { runKernel(Body, attributes, context); },
                                     deleteAttributes));
}

}  // namespace simsiam

#endif  // SIMSIAM_KERNEL_H_
