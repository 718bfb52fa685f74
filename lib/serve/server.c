/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/server_inside.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/parallel.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SECOND INT64_C(1000000000)

__attribute__((format(printf, 2, 0))) static void hear(void *cls, const char *format, va_list ap)
{
	struct server *s = cls;
	char text[256];
	char shown[300];

	(void)vsnprintf(text, sizeof(text), format, ap);
	text[strcspn(text, "\n")] = '\0';
	text_escape_str(shown, sizeof(shown), text);
	if (s->started)
		event_text(s->events, EVENT_DETAIL, "%s", shown);
	else
		(void)snprintf(s->said, sizeof(s->said), "%s", text);
}

static void see_connection(void *cls, struct MHD_Connection *connection, void **context,
			   enum MHD_ConnectionNotificationCode what)
{
	struct server *s = cls;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		clients_remove(&s->clients, *context);
		*context = NULL;
		return;
	}
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	*context = info ? clients_add(&s->clients, info->connect_fd) : NULL;
}

static int read_pem(const char *path, struct buf *out, struct err *e)
{
	char shown[160];
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);

	text_escape_str(shown, sizeof(shown), path);
	if (fd < 0)
		return err_sys(e, ERR_LOCAL, errno, "%s", shown);
	if (buf_reserve(out, 1, e) || buf_read(out, fd, LIMIT_CERTIFICATE_FILE, e))
		return err_at(e, "%s", shown);
	return strstr(out->data, "-----BEGIN ") ? 0 : err_set(e, ERR_USAGE, "%s: is not PEM", shown);
}

static int open_log(struct server *s, const char *path, struct err *e)
{
	char shown[160];

	s->log = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
	return s->log < 0 ? err_sys(e, ERR_LOCAL, errno, "%s", text_escape_str(shown, sizeof(shown), path)) : 0;
}

/* A thread waits for the disk while it reads: with one a CPU a slow stick would hold up all others. */
static unsigned thread_count(void)
{
	const size_t cpus = parallel_cpus();

	return cpus < 2 ? 4 : cpus > 8 ? 16 : (unsigned)(2 * cpus);
}

static struct MHD_Daemon *start_daemon(struct server *s, int listener)
{
	const unsigned threads = thread_count();
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG | MHD_USE_ITC;
	/* Any string will do where there is no TLS: the option is not looked at. */
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, s->certificate.data },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, s->key.data },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, (char[]){ "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2" } },
		{ MHD_OPTION_END, 0, NULL },
	};

	if (s->tls)
		flags |= MHD_USE_TLS;
	else
		tls[0] = tls[3];
	/* clang-format off */
	return MHD_start_daemon(flags, 0, NULL, NULL, request_answer, s,
				MHD_OPTION_EXTERNAL_LOGGER, hear, s,
				MHD_OPTION_LISTEN_SOCKET, listener,
				MHD_OPTION_THREAD_POOL_SIZE, threads,
				MHD_OPTION_CONNECTION_LIMIT, (unsigned)LIMIT_SERVE_CLIENTS,
				MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)LIMIT_SERVE_ONE_CLIENT,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LIMIT_SERVE_HEAD,
				MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)LIMIT_SERVE_STALL_SECONDS,
				MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
				MHD_OPTION_URI_LOG_CALLBACK, request_begin, s,
				MHD_OPTION_NOTIFY_COMPLETED, request_end, s,
				MHD_OPTION_NOTIFY_CONNECTION, see_connection, s,
				MHD_OPTION_ARRAY, tls,
				MHD_OPTION_END);
	/* clang-format on */
}

static int prepare(struct server *s, const struct server_options *o, struct err *e)
{
	s->tls = o->certificate != NULL;
	if (s->tls && (read_pem(o->certificate, &s->certificate, e) || read_pem(o->key, &s->key, e)))
		return -1;
	if (o->users && !(s->users = users_read(o->users, e)))
		return -1;
	return o->log ? open_log(s, o->log, e) : 0;
}

struct server *server_start(const struct server_options *o, struct err *e)
{
	struct server *made = calloc(1, sizeof(*made));

	if (!made) {
		err_memory(e);
		return NULL;
	}
	made->log = -1;
	made->catalog = o->catalog;
	made->events = o->events;
	clients_init(&made->clients);
	AUTO(server) s = made;
	if (prepare(s, o, e))
		return NULL;
	int listener = listen_open(&o->address, &s->port, e);
	if (listener < 0)
		return NULL;
	listen_name(&o->address, s->port, s->name);
	s->daemon = start_daemon(s, listener);
	if (!s->daemon) {
		(void)close(listener);
		err_set(e, s->tls ? ERR_USAGE : ERR_LOCAL, "the server cannot be started: %s", s->said);
		if (s->tls)
			err_hint(e, "do the certificate and the key of --cert and --key belong together?");
		return NULL;
	}
	s->started = true;
	return TAKE(s);
}

unsigned server_port(const struct server *s)
{
	return s->port;
}

/* No new connections; what runs may end, for some time. */
static void wind_down(struct server *s)
{
	const int64_t until = clock_ns() + LIMIT_SERVE_GRACE_SECONDS * SECOND;
	const struct timespec nap = { 0, SECOND / 20 };
	int listener = MHD_quiesce_daemon(s->daemon);

	if (listener >= 0)
		(void)close(listener);
	const uint64_t running = atomic_load(&s->metrics.running);
	if (running)
		event_text(s->events, EVENT_NOTE, "stopping: %llu running answer%s may take %d s more",
			   (unsigned long long)running, running == 1 ? "" : "s", LIMIT_SERVE_GRACE_SECONDS);
	while (atomic_load(&s->metrics.running) && clock_ns() < until)
		(void)nanosleep(&nap, NULL);
	if (atomic_load(&s->metrics.running))
		event_text(s->events, EVENT_WARNING, "stopped while answers were running");
}

int server_run(struct server *s, struct err *e)
{
	struct err stopped = { 0 };

	(void)e;
	while (!cancel_sleep(clock_ns() + SECOND, NULL, &stopped))
		clients_shut_idle(&s->clients, clock_ns() - LIMIT_SERVE_HEAD_SECONDS * SECOND);
	wind_down(s);
	return 0;
}

void server_free(struct server *s)
{
	if (!s)
		return;
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	users_free(s->users);
	clients_destroy(&s->clients);
	buf_release(&s->certificate);
	if (s->key.data)
		explicit_bzero(s->key.data, s->key.capacity);
	buf_release(&s->key);
	if (s->log >= 0)
		(void)close(s->log);
	free(s);
}
