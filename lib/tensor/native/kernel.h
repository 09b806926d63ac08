// What a kernel of TensorFlow's sees of its call, on top of the C interface (tensorflow/c/kernels.h): tensors that free
// themselves, stacks of matrices, and refusals as exceptions.
#pragma once

#include <tensorflow/c/kernels.h>
#include <tensorflow/c/ops.h>

#include <array>
#include <atomic>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

template <typename T>
constexpr TF_DataType typeOf = TF_FLOAT;
template <>
constexpr TF_DataType typeOf<double> = TF_DOUBLE;

using Shape = std::vector<int64_t>;

inline int64_t sizeOf(const Shape& shape) {
  int64_t size = 1;
  for (int64_t length : shape) size *= length;
  return size;
}

// A status that throws when it is bad.
class Status {
 public:
  Status() : status_(TF_NewStatus()) {}
  Status(const Status&) = delete;
  ~Status() { TF_DeleteStatus(status_); }
  TF_Status* get() { return status_; }
  void check() const {
    if (TF_GetCode(status_) != TF_OK) throw std::runtime_error(TF_Message(status_));
  }

 private:
  TF_Status* status_;
};

// A dense tensor of T.
template <typename T>
class Tensor {
 public:
  explicit Tensor(TF_Tensor* tensor) : tensor_(tensor) {
    for (int i = 0; i < TF_NumDims(tensor); i++) shape_.push_back(TF_Dim(tensor, i));
  }
  Tensor(const Tensor&) = delete;
  ~Tensor() { TF_DeleteTensor(tensor_); }

  const Shape& shape() const { return shape_; }
  T* data() { return static_cast<T*>(TF_TensorData(tensor_)); }

 private:
  TF_Tensor* tensor_;
  Shape shape_;
};

// [..., rows, columns]: `shape` says what lies before the last two axes, `count` how many matrices there are.
struct Stack {
  Shape shape;
  int64_t count;
  // OpenBLAS counts in 32 bits.
  int rows, columns;

  explicit Stack(const Shape& all) {
    if (all.size() < 2) throw std::invalid_argument("expected a matrix or a stack of them, got fewer than two axes");
    shape.assign(all.begin(), all.end() - 2);
    count = sizeOf(shape);
    rows = narrow(all[all.size() - 2]);
    columns = narrow(all[all.size() - 1]);
  }

  int64_t size() const { return static_cast<int64_t>(rows) * columns; }

  // The shape of as many other matrices, or vectors.
  Shape of(std::initializer_list<int64_t> last) const {
    Shape other = shape;
    other.insert(other.end(), last);
    return other;
  }

 private:
  static int narrow(int64_t length) {
    if (length > std::numeric_limits<int>::max()) throw std::invalid_argument("a matrix has more than 2^31 - 1 rows");
    return static_cast<int>(length);
  }
};

class Call {
 public:
  explicit Call(TF_OpKernelContext* context) : context_(context) {}

  template <typename T>
  Tensor<T> input(int index) {
    TF_Tensor* tensor = nullptr;
    Status status;
    TF_GetInput(context_, index, &tensor, status.get());
    status.check();
    return Tensor<T>(tensor);
  }

  template <typename T>
  Tensor<T> output(int index, const Shape& shape) {
    Status status;
    TF_Tensor* tensor = TF_AllocateOutput(context_, index, typeOf<T>, shape.data(), static_cast<int>(shape.size()),
                                          sizeof(T) * sizeOf(shape), status.get());
    status.check();
    return Tensor<T>(tensor);
  }

 private:
  TF_OpKernelContext* context_;
};

// How often a kernel of ours was called.
inline std::atomic<int64_t> calls{0};

// Makes an op that TensorFlow does not have, on tensors of one type: registerOp(name, {"x", "weight"}, "y").
inline void registerOp(const char* name, std::initializer_list<const char*> inputs, const char* output) {
  TF_OpDefinitionBuilder* builder = TF_NewOpDefinitionBuilder(name);
  TF_OpDefinitionBuilderAddAttr(builder, "T: {float, double}");
  for (const char* input : inputs) TF_OpDefinitionBuilderAddInput(builder, (input + std::string(": T")).c_str());
  TF_OpDefinitionBuilderAddOutput(builder, (output + std::string(": T")).c_str());
  Status status;
  TF_RegisterOpDefinition(builder, status.get());
  status.check();
}

// Registers `Kernel` for an op, on CPUs and for tensors of T, before TensorFlow's own, whose priority is 0. A kernel has
// `static constexpr std::array flags`, the names of its boolean attributes, is made from their values, and computes in
// `void operator()(Call&) const`.
template <template <typename> class Kernel, typename T>
void registerKernel(const char* op) {
  constexpr size_t flagCount = Kernel<T>::flags.size();
  const auto create = [](TF_OpKernelConstruction* construction) -> void* {
    std::array<bool, flagCount> values{};
    for (size_t i = 0; i < flagCount; i++) {
      unsigned char value = 0;
      Status status;
      TF_OpKernelConstruction_GetAttrBool(construction, Kernel<T>::flags[i], &value, status.get());
      if (TF_GetCode(status.get()) != TF_OK) {
        TF_OpKernelConstruction_Failure(construction, status.get());
        return nullptr;
      }
      values[i] = value != 0;
    }
    return new Kernel<T>{values};
  };
  const auto compute = [](void* kernel, TF_OpKernelContext* context) {
    calls++;
    Call call(context);
    try {
      (*static_cast<const Kernel<T>*>(kernel))(call);
    } catch (const std::exception& error) {
      Status status;
      TF_SetStatus(status.get(), TF_INVALID_ARGUMENT, error.what());
      TF_OpKernelContext_Failure(context, status.get());
    }
  };
  const auto destroy = [](void* kernel) { delete static_cast<Kernel<T>*>(kernel); };

  Status status;
  TF_KernelBuilder* builder = TF_NewKernelBuilder(op, "CPU", create, compute, destroy);
  TF_KernelBuilder_TypeConstraint(builder, "T", typeOf<T>, status.get());
  status.check();
  TF_KernelBuilder_Priority(builder, 1);
  const std::string name = std::string("Capacity") + op + (typeOf<T> == TF_DOUBLE ? "Double" : "Float");
  TF_RegisterKernelBuilder(name.c_str(), builder, status.get());
  status.check();
}
