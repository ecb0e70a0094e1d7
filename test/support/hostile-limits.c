/* How far a sandbox lets its process go: each limit is run into once. A shared object whose constructor
 * writes "name value" lines. Loaded in place of SQLite's addon. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *wait_at_gate(void *nothing) {
  pthread_mutex_lock(&gate);
  pthread_mutex_unlock(&gate);
  return nothing;
}

__attribute__((constructor)) static void probe(void) {
  FILE *out = fopen("/ledger/syscalls.txt", "w");
  if (out == NULL) return;
  signal(SIGXFSZ, SIG_IGN);

  /* Not touched: what counts here is the address space and not the memory. */
  errno = 0;
  void *map = mmap(NULL, 4UL << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  fprintf(out, "map-4-GiB %d\n", map == MAP_FAILED ? errno : 0);
  if (map != MAP_FAILED) munmap(map, 4UL << 30);

  errno = 0;
  int file = open("/ledger/long", O_CREAT | O_RDWR, 0600);
  long written = pwrite(file, "x", 1, 1L << 30);
  fprintf(out, "write-at-1-GiB %d\n", written == 1 ? 0 : errno);
  close(file);

  errno = 0;
  void *locked = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
  fprintf(out, "lock-memory %d\n", locked == MAP_FAILED ? errno : 0);

  static int files[4096];
  int opened = 0;
  while (opened < 4096 && (files[opened] = open("/agent/agent.mjs", O_RDONLY)) >= 0) opened++;
  fprintf(out, "open-files %d\n", opened < 4096 ? errno : 0);
  while (opened > 0) close(files[--opened]);

  /* Small stacks, so that no other limit comes first. All of them end again: Node needs a few. */
  pthread_attr_t small;
  static pthread_t thread[2048];
  int threads = 0, code = 0;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 65536);
  pthread_mutex_lock(&gate);
  while (threads < 2048 && (code = pthread_create(&thread[threads], &small, wait_at_gate, NULL)) == 0)
    threads++;
  pthread_mutex_unlock(&gate);
  fprintf(out, "threads %d\nthread-count %d\n", code, threads);
  while (threads > 0) pthread_join(thread[--threads], NULL);
  fclose(out);
}
