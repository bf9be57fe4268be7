#define USE_C10D_GLOO  // as libtorch was built
#include "world.h"

#include "error.h"

#include <c10/core/GradMode.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

using std::chrono::milliseconds;

extern "C" {

// The place where ranks meet, made or found; null: see sga_last_error. A `port` of 0 is any free one and is told. A process
// has one world, which lasts as long as it does.
World* sga_world_meet(const char* host, uint16_t* port, bool serve, const char* prefix, int64_t most_ms) {
  World* world = nullptr;
  done([&] {
    c10d::TCPStoreOptions options;
    options.port = *port;
    options.isServer = serve;
    options.waitWorkers = false;
    options.timeout = milliseconds(most_ms);
    const auto store = c10::make_intrusive<c10d::TCPStore>(std::string(host), options);
    *port = store->getPort();
    world = new World;
    world->store = c10::make_intrusive<c10d::PrefixStore>(std::string(prefix), store);
  });
  return world;
}

// Joins the others under this address of this machine, and waits for them.
bool sga_world_join(World* world, const char* address, int rank, int size, int64_t most_ms, int64_t patience_ms) {
  return done([&] {
    auto options = c10d::ProcessGroupGloo::Options::create(milliseconds(most_ms));
    options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(address));
    options->threads = 4;  // what goes on within a pass does not wait for gradients on their way
    world->group = c10::make_intrusive<c10d::ProcessGroupGloo>(world->store, rank, size, options);
    world->rank = rank;
    world->size = size;
    world->patience = milliseconds(patience_ms);
  });
}

void sga_world_passes(World* world, int64_t images, bool counts) {
  world->images = images;
  world->counts = counts;
}

int64_t sga_world_images(const World* world) { return world->images; }

// Leaves a message where ranks meet.
bool sga_world_put(const World* world, const char* name, const char* message) {
  return done([&] { world->store->set(name, std::string(message)); });
}

// There is no way on.
void sga_world_break(const World* world) { world->broken = true; }

// A message that was left, or is within this time; null when there is none, or nobody to ask.
const char* sga_world_message(const World* world, const char* name, int64_t most_ms) {
  thread_local std::string message;
  const bool found = done([&] {
    world->store->wait({name}, milliseconds(most_ms));
    const auto bytes = world->store->get(name);
    message.assign(bytes.begin(), bytes.end());
  });
  return found ? message.c_str() : nullptr;
}

// Whether something has failed between processes: there is no way on.
bool sga_world_broken(const World* world) { return world->broken; }

// Sums over all ranks, in place; waits for them so long.
bool sga_world_sum(const World* world, const at::Tensor* tensor, int64_t most_ms) {
  return done([&] {
    const c10::NoGradGuard no_grad;
    world->sum(*tensor, milliseconds(most_ms));
  });
}

// Rank 0's values come to all, in place; waits for them so long.
bool sga_world_broadcast(const World* world, const at::Tensor* tensor, int64_t most_ms) {
  return done([&] {
    const c10::NoGradGuard no_grad;
    world->broadcast(*tensor, milliseconds(most_ms));
  });
}

}  // extern "C"
