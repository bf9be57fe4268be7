// NCCL, by c10d's class of it. The class is in libtorch's CUDA half, which is there or not when the program runs, and its header
// asks for NVIDIA's: its constructors are looked up by name.
#include "error.h"
#include "world.h"

#include <dlfcn.h>

#include <cstdlib>
#include <memory>

namespace {
using Store = c10::intrusive_ptr<c10d::Store>;
using Options = c10::intrusive_ptr<c10d::Backend::Options>;

// ProcessGroupNCCL(intrusive_ptr<Store>, int rank, int size, intrusive_ptr<Options>), and Options(bool high_priority_stream).
constexpr auto GROUP = "_ZN4c10d16ProcessGroupNCCLC1EN3c1013intrusive_ptrINS_5StoreENS1_6detail34intrusive_target_default_null_typeIS3_EEEE"
                       "iiNS2_INS0_7OptionsENS5_IS8_EEEE";
constexpr auto OPTIONS = "_ZN4c10d16ProcessGroupNCCL7OptionsC1Eb";

// Bytes for an object whose size its own library alone knows; torch 2.11 takes 1,112 and 480.
constexpr size_t ROOM = 16 << 10;

// What a constructor makes of these arguments. It stays for good: it was not allocated as its class would free it.
template <typename Base, typename... Arguments>
c10::intrusive_ptr<Base> made(const char* constructor, Arguments... arguments) {
  const auto construct = reinterpret_cast<void (*)(void*, Arguments...)>(dlsym(RTLD_DEFAULT, constructor));
  if (construct == nullptr) throw std::runtime_error("this libtorch has no NCCL");
  std::unique_ptr<void, decltype(&std::free)> room(std::calloc(1, ROOM), &std::free);
  construct(room.get(), arguments...);
  const auto object = c10::intrusive_ptr<Base>::unsafe_steal_from_new(static_cast<Base*>(room.release()));
  c10::raw::intrusive_ptr::incref(object.get());
  return object;
}
}  // namespace

// From now on what lies on GPUs goes by NCCL, which allows one rank on each.
extern "C" bool sga_world_over_gpus(World* world) {
  return done([&] {
    setenv("TORCH_NCCL_ASYNC_ERROR_HANDLING", "2", 0);  // end what waits for a lost rank, but not the process
    const auto options = made<c10d::Backend::Options>(OPTIONS, false);
    options->timeout = world->patience;
    world->over_gpus = made<c10d::Backend, Store, int, int, Options>(GROUP, world->store, world->rank, world->size, options);
  });
}

// All is done: GPUs are given back while the others do the same.
extern "C" bool sga_world_end(const World* world) {
  return done([&] {
    if (world->over_gpus) world->over_gpus->shutdown();
  });
}
