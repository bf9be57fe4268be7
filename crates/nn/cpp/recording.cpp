// CUDA graphs, by ATen's class of them: what a stream is asked for is written down instead of done, and done whenever it is
// replayed, on the same memory.
#include "cuda_half.h"
#include "error.h"

#include <ATen/DeviceAccelerator.h>

#include <memory>
#include <utility>

namespace {
constexpr auto WHAT = "CUDA graphs";

// at::cuda::CUDAGraph.
struct Graph;
using Pool = std::pair<unsigned long long, unsigned long long>;

// CUDAGraph(bool keep_graph), ~CUDAGraph(), capture_begin(MempoolId_t, cudaStreamCaptureMode), capture_end(), replay().
constexpr auto MAKE = "_ZN2at4cuda9CUDAGraphC1Eb", END = "_ZN2at4cuda9CUDAGraphD1Ev",
               BEGIN_CAPTURE = "_ZN2at4cuda9CUDAGraph13capture_beginESt4pairIyyE21cudaStreamCaptureMode",
               END_CAPTURE = "_ZN2at4cuda9CUDAGraph11capture_endEv", REPLAY = "_ZN2at4cuda9CUDAGraph6replayEv";

// Other threads, those of other runs, may do what they want meanwhile (cudaStreamCaptureModeThreadLocal).
constexpr int OF_THIS_THREAD = 1;

template <typename... Arguments>
void call(const char* name, Graph* graph, Arguments... arguments) {
  of_cuda_half<void(Graph*, Arguments...)>(name, WHAT)(graph, arguments...);
}
}  // namespace

extern "C" {

// Begins to write down what this thread asks its current stream for; null: see sga_last_error.
Graph* sga_recording_begin() {
  Graph* graph = nullptr;
  done([&] {
    const auto make = of_cuda_half<void(Graph*, bool)>(MAKE, WHAT);
    at::accelerator::emptyCache();  // the recording has memory of its own
    std::unique_ptr<void, decltype(&std::free)> room(std::calloc(1, ROOM), &std::free);
    make(static_cast<Graph*>(room.get()), false);
    call(BEGIN_CAPTURE, static_cast<Graph*>(room.get()), Pool(0, 0), OF_THIS_THREAD);
    graph = static_cast<Graph*>(room.release());
  });
  return graph;
}

bool sga_recording_end(Graph* graph) {
  return done([&] { call(END_CAPTURE, graph); });
}

bool sga_recording_replay(Graph* graph) {
  return done([&] { call(REPLAY, graph); });
}

void sga_recording_free(Graph* graph) {
  done([&] { call(END, graph); });
  std::free(graph);
}

}  // extern "C"
