/* A program that an agent may run, in foreign hands: what it is given and what it can reach. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

/* Its variables and the descriptors that it inherited. */
static void say(void) {
  for (char **one = environ; *one != NULL; one++) printf("%s ", *one);
  for (int fd = 0; fd < 1024; fd++)
    if (lseek(fd, 0, SEEK_CUR) >= 0 || errno != EBADF) printf("fd%d ", fd);
}

static void dial(int port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  printf("%s ", connect(fd, (struct sockaddr *)&to, sizeof to) == 0 ? "connected" : strerrorname_np(errno));
  to.sin_addr.s_addr = inet_addr("1.1.1.1");
  fd = socket(AF_INET, SOCK_STREAM, 0);
  printf("%s ", connect(fd, (struct sockaddr *)&to, sizeof to) == 0 ? "connected" : strerrorname_np(errno));
  printf("%s", socket(AF_INET6, SOCK_STREAM, 0) >= 0 ? "inet6" : strerrorname_np(errno));
}

static void try_clone(const char *name, long flags) {
  long child = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
  if (child == 0) syscall(SYS_exit_group, 0);
  printf("%s:%s ", name, child > 0 ? "made" : strerrorname_np(errno));
}

/* A process it may have, a namespace it may not. */
static void namespaces(void) {
  try_clone("process", 0);
  try_clone("user", CLONE_NEWUSER);
  try_clone("net", CLONE_NEWUSER | CLONE_NEWNET);
  try_clone("mount", CLONE_NEWNS);
  printf("unshare:%s", unshare(CLONE_NEWUSER) == 0 ? "done" : strerrorname_np(errno));
}

static void status(void) {
  char line[256];
  FILE *file = fopen("/proc/self/status", "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL)
    if (strncmp(line, "Seccomp:", 8) == 0 || strncmp(line, "NoNewPrivs:", 11) == 0 || strncmp(line, "CapBnd:", 7) == 0) {
      line[strcspn(line, "\n")] = ' ';
      fputs(line, stdout);
    }
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "say";
  if (strcmp(what, "say") == 0) say();
  if (strcmp(what, "dial") == 0) dial(atoi(argv[2]));
  if (strcmp(what, "namespaces") == 0) namespaces();
  if (strcmp(what, "status") == 0) status();
  return 0;
}
