/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_TARGET_SERVER_H
#define TESTS_TARGET_SERVER_H

/* Servers that a test starts and stops by their process ID. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A process whose output goes to the file `log`; it dies with us. */
static inline pid_t server_start(const char *const *argv, const char *log)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid)
		return pid;
	int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	int null = open("/dev/null", O_RDONLY);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (fd < 0 || null < 0 || getppid() != parent || dup2(null, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

static inline void server_stop(pid_t pid)
{
	if (pid <= 0)
		return;
	(void)kill(pid, SIGTERM);
	for (int i = 0; i < 200; i++) {
		const struct timespec pause = { .tv_nsec = 50000000 };
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return;
		nanosleep(&pause, NULL);
	}
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static inline bool connects(const struct sockaddr *address, socklen_t len)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes = fd >= 0 && !connect(fd, address, len);

	if (fd >= 0)
		close(fd);
	return yes;
}

/* True once something listens; false if the process ended or nothing listens after `seconds`. */
static inline bool server_wait(pid_t pid, const struct sockaddr *address, socklen_t len, int seconds)
{
	for (int i = 0; i < seconds * 50; i++) {
		const struct timespec pause = { .tv_nsec = 20000000 };
		int status;
		if (connects(address, len))
			return true;
		if (waitpid(pid, &status, WNOHANG) == pid)
			return false;
		nanosleep(&pause, NULL);
	}
	return false;
}

static inline bool server_wait_unix(pid_t pid, const char *path, int seconds)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	return server_wait(pid, (const struct sockaddr *)(const void *)&a, sizeof(a), seconds);
}

static inline bool server_wait_tcp(pid_t pid, unsigned port, int seconds)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return server_wait(pid, (const struct sockaddr *)(const void *)&a, sizeof(a), seconds);
}

/* A port of 127.0.0.1 on which nothing listens now. */
static inline unsigned free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (const struct sockaddr *)(const void *)&a, sizeof(a)) ||
	    getsockname(fd, (struct sockaddr *)(void *)&a, &len))
		abort();
	close(fd);
	return ntohs(a.sin_port);
}

/* Removes a folder that the test made below /tmp, with what is in it. */
static inline void remove_folder(const char *path)
{
	const char *const argv[] = { "rm", "-rf", "--one-file-system", path, NULL };
	int status;

	if (strncmp(path, "/tmp/", 5) != 0)
		abort();
	pid_t pid = server_start(argv, "/dev/null");
	if (pid > 0)
		(void)waitpid(pid, &status, 0);
}

#endif
