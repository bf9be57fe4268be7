// NCCL, by c10d's class of it.
#include "cuda_half.h"
#include "error.h"
#include "world.h"

#include <memory>

namespace {
using Store = c10::intrusive_ptr<c10d::Store>;
using Options = c10::intrusive_ptr<c10d::Backend::Options>;

// ProcessGroupNCCL(intrusive_ptr<Store>, int rank, int size, intrusive_ptr<Options>), and Options(bool high_priority_stream).
constexpr auto GROUP = "_ZN4c10d16ProcessGroupNCCLC1EN3c1013intrusive_ptrINS_5StoreENS1_6detail34intrusive_target_default_null_typeIS3_EEEE"
                       "iiNS2_INS0_7OptionsENS5_IS8_EEEE";
constexpr auto OPTIONS = "_ZN4c10d16ProcessGroupNCCL7OptionsC1Eb";

// What a constructor makes of these arguments. It stays for good: it was not allocated as its class would free it.
template <typename Base, typename... Arguments>
c10::intrusive_ptr<Base> made(const char* constructor, Arguments... arguments) {
  const auto construct = of_cuda_half<void(void*, Arguments...)>(constructor, "NCCL");
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
