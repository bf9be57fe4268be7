// The parts of libtorch that tch does not bind. Uses only symbols of libtorch_cpu.so and libc10.so, so that programs need
// no CUDA to start.
#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/contiguous.h>
#include <torch/headeronly/version.h>

#include <dlfcn.h>

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>

namespace {
thread_local std::string last_error;

at::DeviceType device_type(int cuda) { return cuda ? at::kCUDA : at::kCPU; }
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
  void* driver = dlopen("libcuda.so.1", RTLD_NOW);
  if (driver == nullptr) return false;
  const auto init = reinterpret_cast<int (*)(unsigned)>(dlsym(driver, "cuInit"));
  const auto get = reinterpret_cast<int (*)(int*, int)>(dlsym(driver, "cuDeviceGet"));
  const auto get_name = reinterpret_cast<int (*)(char*, int, int)>(dlsym(driver, "cuDeviceGetName"));
  int device = 0;
  return init && get && get_name && init(0) == 0 && get(&device, index) == 0 && get_name(name, length, device) == 0;
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
}

void sga_allow_tf32(bool on) {
  at::globalContext().setAllowTF32CuBLAS(on);
  at::globalContext().setAllowTF32CuDNN(on);
}

// The tensor with channels innermost in memory; null: see sga_last_error.
at::Tensor* sga_channels_last(const at::Tensor* tensor) {
  try {
    return new at::Tensor(tensor->contiguous(at::MemoryFormat::ChannelsLast));
  } catch (const std::exception& error) {
    last_error = error.what();
    return nullptr;
  }
}

}  // extern "C"
