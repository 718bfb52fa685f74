/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/process.h"

#include "base/cancel.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static void on_stop(int sig)
{
	cancel_request(sig);
}

static int handle(int sig, void (*handler)(int), int flags, struct err *e)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	sigemptyset(&action.sa_mask);
	if (sigaction(sig, &action, NULL))
		return err_sys(e, ERR_LOCAL, errno, "cannot handle signal %d", sig);
	return 0;
}

/* nohup's wish is kept. */
static int stop_on_hangup(struct err *e)
{
	struct sigaction before;

	if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler == SIG_IGN)
		return 0;
	return handle(SIGHUP, on_stop, 0, e);
}

/* A closed descriptor of the three is opened the wrong way round: reading or writing it fails as before. */
static int fill_descriptors(struct err *e)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) != -1 || errno != EBADF)
			continue;
		int got = open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
		if (got != fd)
			return err_sys(e, ERR_LOCAL, got < 0 ? errno : EBADF, "/dev/null");
	}
	return 0;
}

/*
 * Memory holds passwords. The limit keeps a dump from being written as a file; a dump that goes to a collector's pipe
 * does not ask for it, but for the flag, which also keeps the user's other programs from attaching. Those that start us
 * (strace, gdb --args) and root still see everything.
 */
static int keep_memory_private(struct err *e)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) || prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L))
		return err_sys(e, ERR_LOCAL, errno, "cannot switch core dumps off");
	return 0;
}

/* All chunks of an archive are open at once, and there may be more than the usual 1024. What is not allowed stays so.
 */
static void allow_files(void)
{
	struct rlimit r;
	const rlim_t enough = LIMIT_CHUNKS + 1000;

	if (getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur >= enough)
		return;
	r.rlim_cur = r.rlim_max < enough ? r.rlim_max : enough;
	(void)setrlimit(RLIMIT_NOFILE, &r);
}

int process_prepare(struct err *e)
{
	allow_files();
	if (fill_descriptors(e) || keep_memory_private(e))
		return -1;
	/* Characters alone: numbers and messages look the same everywhere. An unknown locale is the C locale. */
	(void)setlocale(LC_CTYPE, "");
	if (handle(SIGINT, on_stop, (int)SA_RESETHAND, e) || handle(SIGTERM, on_stop, 0, e) || stop_on_hangup(e))
		return -1;
	return handle(SIGPIPE, SIG_IGN, 0, e) || handle(SIGXFSZ, SIG_IGN, 0, e) ? -1 : 0;
}

int process_write(int fd, const char *name, const char *bytes, size_t len, struct err *e)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_sys(e, ERR_LOCAL, n < 0 ? errno : EIO, "%s", name);
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

bool process_is_terminal(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) == 1 && term && *term && strcmp(term, "dumb") != 0;
}

bool process_has_colour(int fd)
{
	const char *no = getenv("NO_COLOR");

	return !(no && *no) && process_is_terminal(fd);
}
