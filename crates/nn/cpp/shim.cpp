// The parts of libtorch that tch does not bind. Uses only symbols of libtorch_cpu.so and libc10.so, so that programs need
// no CUDA to start.
#include "error.h"

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/contiguous.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/cudnn_convolution_add_relu.h>
#include <ATen/ops/cudnn_convolution_relu.h>
#include <ATen/ops/threshold_backward.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/headeronly/version.h>

#include <dlfcn.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <array>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

thread_local std::string last_error;

namespace {
at::DeviceType device_type(int cuda) { return cuda ? at::kCUDA : at::kCPU; }

at::Tensor plain_convolution_relu(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const at::Tensor* added,
                                  at::IntArrayRef stride, at::IntArrayRef padding) {
  auto result = at::conv2d(x, weight, bias, stride, padding);
  if (added != nullptr) result.add_(*added);
  return result.relu_();
}

// oneDNN's convolution with its steps afterwards, which ATen registers for its compiler and has no header for.
at::Tensor onednn_convolution_relu(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const at::Tensor* added,
                                   at::IntArrayRef stride, at::IntArrayRef padding) {
  using Scalars = torch::List<std::optional<at::Scalar>>;
  using Name = std::optional<std::string_view>;
  static const auto unary =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mkldnn::_convolution_pointwise", "")
          .typed<at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, at::IntArrayRef,
                            at::IntArrayRef, at::IntArrayRef, int64_t, std::string_view, Scalars, Name)>();
  static const auto binary =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mkldnn::_convolution_pointwise", "binary")
          .typed<at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                            at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, int64_t, std::string_view,
                            std::optional<at::Scalar>, Name, Scalars, Name)>();
  const std::array<int64_t, 2> dilation = {1, 1};
  if (added == nullptr) return unary.call(x, weight, bias, padding, stride, dilation, 1, "relu", Scalars(), Name());
  return binary.call(x, *added, weight, bias, padding, stride, dilation, 1, "add", std::nullopt, "relu", Scalars(), Name());
}

// Whether the processor has what oneDNN asks for bfloat16.
bool onednn_has_bf16() {
  static const bool has =
      c10::Dispatcher::singleton().findSchemaOrThrow("mkldnn::_is_mkldnn_bf16_supported", "").typed<bool()>().call();
  return has;
}

at::Tensor cudnn_convolution_relu(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const at::Tensor* added,
                                  at::IntArrayRef stride, at::IntArrayRef padding) {
  const std::array<int64_t, 2> dilation = {1, 1};
  if (added == nullptr) return at::cudnn_convolution_relu(x, weight, bias, stride, padding, dilation, 1);
  return at::cudnn_convolution_add_relu(x, weight, *added, 1.0, bias, stride, padding, dilation, 1);
}

// A function of the CUDA driver; null when there is none.
template <typename Function>
Function* of_driver(const char* name) {
  static void* const driver = dlopen("libcuda.so.1", RTLD_NOW);
  return driver == nullptr ? nullptr : reinterpret_cast<Function*>(dlsym(driver, name));
}

// The driver's number of a CUDA device.
std::optional<int> cuda_device(int index) {
  const auto init = of_driver<int(unsigned)>("cuInit");
  const auto get = of_driver<int(int*, int)>("cuDeviceGet");
  int device = 0;
  return init && get && init(0) == 0 && get(&device, index) == 0 ? std::optional(device) : std::nullopt;
}
}  // namespace

extern "C" {

const char* sga_last_error() { return last_error.c_str(); }

const char* sga_libtorch_version() { return TORCH_VERSION; }

// Loads libtorch_cuda.so from the folder that libtorch_cpu.so came from. 0: there is none; 1: loaded; -1: broken, see sga_last_error.
int sga_load_cuda() {
  Dl_info library;
  if (dladdr(reinterpret_cast<void*>(&at::globalContext), &library) == 0) {
    last_error = "the loader does not say where libtorch_cpu.so is";
    return -1;
  }
  std::error_code ignored;
  const auto cuda = std::filesystem::path(library.dli_fname).replace_filename("libtorch_cuda.so");
  if (!std::filesystem::exists(cuda, ignored)) return 0;
  if (dlopen(cuda.c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr) return 1;
  last_error = dlerror();
  return -1;
}

// The marketing name of a CUDA device, from the driver; false when the driver does not tell.
bool sga_cuda_name(int index, char* name, int length) {
  const auto get_name = of_driver<int(char*, int, int)>("cuDeviceGetName");
  const auto device = cuda_device(index);
  return get_name && device && get_name(name, length, *device) == 0;
}

// 16 bytes that no other CUDA device has, from the driver; false when the driver does not tell.
bool sga_cuda_id(int index, unsigned char* id) {
  const auto get_id = of_driver<int(unsigned char*, int)>("cuDeviceGetUuid_v2");
  const auto device = cuda_device(index);
  return get_id && device && get_id(id, *device) == 0;
}

// Turns autocast on and returns whether it was on.
bool sga_autocast_enter(int cuda, int scalar_type) {
  const auto device = device_type(cuda);
  const bool before = at::autocast::is_autocast_enabled(device);
  at::autocast::set_autocast_dtype(device, static_cast<at::ScalarType>(scalar_type));
  at::autocast::set_autocast_enabled(device, true);
  at::autocast::increment_nesting();
  return before;
}

void sga_autocast_exit(int cuda, bool before) {
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device_type(cuda), before);
}

// Operations without a deterministic form warn instead of failing.
void sga_set_deterministic(bool on) {
  if (on) setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);  // cuBLAS is deterministic only with a fixed workspace
  at::globalContext().setDeterministicAlgorithms(on, /*warn_only=*/true);
  at::globalContext().setDeterministicCuDNN(on);
  at::globalContext().setBenchmarkCuDNN(!on);  // its search may choose another algorithm each time
}

void sga_allow_tf32(bool on) {
  at::globalContext().setAllowTF32CuBLAS(on);
  at::globalContext().setAllowTF32CuDNN(on);
}

// Lets cuDNN measure its algorithms for each shape that it meets.
void sga_measure_convolutions(bool on) { at::globalContext().setBenchmarkCuDNN(on); }

// Whether libtorch warns of whatever makes this process wait for a CUDA device; false when it cannot. The switch is a static of
// an inline function in CUDA's half (c10::cuda::warning_state): 0 is silent, 1 warns.
bool sga_warn_of_waiting(bool on) {
  const auto mode = static_cast<int*>(dlsym(RTLD_DEFAULT, "_ZZN3c104cuda13warning_stateEvE14warning_state_"));
  if (mode != nullptr) *mode = on ? 1 : 0;
  return mode != nullptr;
}

// Memory that was freed stays with the process where glibc allows it, up to 32 MB a piece. Every large tensor would else lie on
// new pages, which the kernel clears first.
void sga_keep_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
#endif
}

// Work of this thread on a CUDA device goes to a stream of its own from now on, once what it asked for before is done.
void sga_own_stream(int device) {
  const c10::impl::VirtualGuardImpl guard(at::kCUDA);
  const c10::Device place(at::kCUDA, static_cast<c10::DeviceIndex>(device));
  guard.setDevice(place);
  guard.synchronizeStream(guard.getStream(place));
  guard.exchangeStream(guard.getStreamFromGlobalPool(place));
}

// The tensor with channels innermost in memory.
at::Tensor* sga_channels_last(const at::Tensor* tensor) {
  return owned([&] { return tensor->contiguous(at::MemoryFormat::ChannelsLast); });
}

// max(0, convolution(x) + bias + added), in one pass over memory where the library can; `added` may be null. No gradient.
at::Tensor* sga_convolution_relu(const at::Tensor* x, const at::Tensor* weight, const at::Tensor* bias, const at::Tensor* added,
                                 int64_t stride, int64_t padding) {
  return owned([&] {
    const c10::NoGradGuard no_grad;
    const std::array<int64_t, 2> strides = {stride, stride}, paddings = {padding, padding};
    const bool narrow = x->scalar_type() == at::kFloat || x->scalar_type() == at::kBFloat16;
    const bool a_map = x->size(2) > stride && x->size(3) > stride;  // oneDNN refuses the strides of a single pixel
    if (narrow && a_map && x->is_cpu() && (x->scalar_type() == at::kFloat || onednn_has_bf16())) return onednn_convolution_relu(*x, *weight, *bias, added, strides, paddings);
    if (narrow && x->is_cuda()) return cudnn_convolution_relu(*x, *weight, *bias, added, strides, paddings);
    return plain_convolution_relu(*x, *weight, *bias, added, strides, paddings);
  });
}

// The gradient of a convolution's input `x`, of which the shape matters alone.
at::Tensor* sga_convolution_input_gradient(const at::Tensor* gradient, const at::Tensor* x, const at::Tensor* weight,
                                           int64_t stride, int64_t padding) {
  return owned([&] {
    const std::array<int64_t, 2> strides = {stride, stride}, paddings = {padding, padding}, ones = {1, 1}, zeros = {0, 0};
    return std::get<0>(at::convolution_backward(*gradient, *x, *weight, std::nullopt, strides, paddings, ones,
                                                /*transposed=*/false, zeros, /*groups=*/1, {true, false, false}));
  });
}

// The gradient of what gave `result` = max(0, it).
at::Tensor* sga_relu_gradient(const at::Tensor* gradient, const at::Tensor* result) {
  return owned([&] { return at::threshold_backward(*gradient, *result, 0); });
}

// One step of SGD on all weights, at the rate that this scalar on their device holds; false: see sga_last_error.
bool sga_sgd_step(at::Tensor* const* weights, at::Tensor* const* gradients, at::Tensor* const* velocities, size_t count,
                  const at::Tensor* rate, double momentum, double weight_decay) {
  const auto list = [count](at::Tensor* const* tensors) {
    std::vector<at::Tensor> result;
    for (size_t i = 0; i < count; ++i) result.push_back(*tensors[i]);
    return result;
  };
  return done([&] {
    const c10::NoGradGuard no_grad;
    const auto moving = momentum == 0.0 ? std::vector<at::Tensor>() : list(velocities);
    at::_fused_sgd_(list(weights), list(gradients), moving, weight_decay, momentum, *rate, /*dampening=*/0.0,
                    /*nesterov=*/false, /*maximize=*/false, /*is_first_step=*/false);
  });
}

}  // extern "C"
