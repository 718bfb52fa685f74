/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LD_PRELOAD: allocations, counted from the program's own first one on; the Nth fails.
 *
 *     FAULT_AT      N, from 1 on; 0 fails none
 *     FAULT_SCOPE   own    those that the program's own code asks for (by the return address), strdup() and its like
 * and new threads among them all    those of all libraries, too FAULT_LOG     a file: "fired OFFSET" (of the caller,
 * for addr2line) when the Nth is reached; at the end "count N" and "live N": own allocations that nobody has freed
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void __libc_free(void *);

static uintptr_t first, last, base;
static unsigned long at;
static bool all;
static int report = -1;
static atomic_ulong counted;
static atomic_bool begun;

/* The program's own allocations that live: a table of addresses. */
#define TABLE (1u << 18)
static uintptr_t table[TABLE];
static atomic_flag busy = ATOMIC_FLAG_INIT;
#define GONE ((uintptr_t)1)

static size_t slot(uintptr_t p, bool add)
{
	size_t i = (p >> 4) * 2654435761u % TABLE;

	for (; table[i] && table[i] != p; i = (i + 1) % TABLE)
		if (add && table[i] == GONE)
			break;
	return i;
}

static void *born(void *p)
{
	if (!p)
		return p;
	while (atomic_flag_test_and_set(&busy))
		;
	table[slot((uintptr_t)p, true)] = (uintptr_t)p;
	atomic_flag_clear(&busy);
	return p;
}

static bool died(void *p)
{
	if (!p)
		return false;
	while (atomic_flag_test_and_set(&busy))
		;
	size_t i = slot((uintptr_t)p, false);
	bool known = table[i] == (uintptr_t)p;
	if (known)
		table[i] = GONE;
	atomic_flag_clear(&busy);
	return known;
}

static int look(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size, (void)data;
	base = info->dlpi_addr;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_X)) {
			first = base + info->dlpi_phdr[i].p_vaddr;
			last = first + info->dlpi_phdr[i].p_memsz;
		}
	return 1; /* the first one is the program */
}

__attribute__((constructor)) static void begin(void)
{
	const char *scope = getenv("FAULT_SCOPE");
	const char *number = getenv("FAULT_AT");
	const char *log = getenv("FAULT_LOG");

	dl_iterate_phdr(look, NULL);
	all = scope && !strcmp(scope, "all");
	at = number ? strtoul(number, NULL, 10) : 0;
	if (log)
		report = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void say(const char *what, unsigned long number)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "%s %lx\n", what, number);

	(void)!syscall(SYS_write, report, line, (size_t)n);
}

__attribute__((destructor)) static void end(void)
{
	unsigned long live = 0;

	for (size_t i = 0; i < TABLE; i++)
		live += table[i] > GONE;
	say("count", atomic_load(&counted));
	say("live", live);
}

static bool own(const void *caller)
{
	return (uintptr_t)caller >= first && (uintptr_t)caller < last;
}

/* One allocation: whether it is the one that fails. */
static bool meet(const void *caller)
{
	if (own(caller))
		atomic_store(&begun, true);
	else if (!all || !atomic_load(&begun))
		return false;
	if (atomic_fetch_add(&counted, 1) + 1 != at)
		return false;
	Dl_info where;
	const char *slash = dladdr(caller, &where) && where.dli_fname ? strrchr(where.dli_fname, '/') : NULL;
	say("fired", (uintptr_t)caller - (slash ? (uintptr_t)where.dli_fbase : base));
	char line[64];
	int n = snprintf(line, sizeof(line), "library %.40s\n", slash ? slash + 1 : "none");
	(void)!syscall(SYS_write, report, line, (size_t)n);
	errno = ENOMEM;
	return true;
}

#define CALLER __builtin_return_address(0)

void *malloc(size_t size)
{
	const void *caller = CALLER;

	if (meet(caller))
		return NULL;
	void *p = __libc_malloc(size);
	return own(caller) ? born(p) : p;
}

void *calloc(size_t count, size_t size)
{
	const void *caller = CALLER;

	if (meet(caller))
		return NULL;
	void *p = __libc_calloc(count, size);
	return own(caller) ? born(p) : p;
}

static void *again(void *old, size_t size, const void *caller)
{
	if (meet(caller))
		return NULL;
	bool known = died(old);
	void *p = __libc_realloc(old, size);
	if (p)
		return known || own(caller) ? born(p) : p;
	if (known && size)
		born(old);
	return NULL;
}

void *realloc(void *old, size_t size)
{
	return again(old, size, CALLER);
}

void *reallocarray(void *old, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return again(old, bytes, CALLER);
}

void free(void *p)
{
	died(p);
	__libc_free(p);
}

static char *copy(const char *s, size_t len, const void *caller)
{
	char *p = meet(caller) ? NULL : __libc_malloc(len + 1);

	if (!p)
		return NULL;
	memcpy(p, s, len);
	p[len] = '\0';
	return own(caller) ? born(p) : p;
}

char *strdup(const char *s)
{
	return copy(s, strlen(s), CALLER);
}

char *strndup(const char *s, size_t len)
{
	return copy(s, strnlen(s, len), CALLER);
}

static int print(char **out, const char *fmt, va_list ap, const void *caller)
{
	va_list twice;

	va_copy(twice, ap);
	int n = vsnprintf(NULL, 0, fmt, twice);
	va_end(twice);
	char *p = n < 0 || meet(caller) ? NULL : __libc_malloc((size_t)n + 1);
	if (!p)
		return -1;
	(void)vsnprintf(p, (size_t)n + 1, fmt, ap);
	*out = own(caller) ? born(p) : p;
	return n;
}

int asprintf(char **out, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = print(out, fmt, ap, CALLER);
	va_end(ap);
	return n;
}

int __asprintf_chk(char **out, int flag, const char *fmt, ...)
{
	va_list ap;

	(void)flag;
	va_start(ap, fmt);
	int n = print(out, fmt, ap, CALLER);
	va_end(ap);
	return n;
}

/* What allocates inside the C library. */
#define INSIDE(type, name, params, args, failed)                                                                       \
	type name params                                                                                               \
	{                                                                                                              \
		type(*real) params = (type(*) params)dlsym(RTLD_NEXT, #name);                                          \
		return !all && meet(CALLER) ? (failed) : real args;                                                    \
	}

INSIDE(FILE *, fdopen, (int fd, const char *mode), (fd, mode), NULL)
INSIDE(DIR *, opendir, (const char *path), (path), NULL)
INSIDE(char *, realpath, (const char *path, char *out), (path, out), NULL)
INSIDE(int, pthread_create, (pthread_t * thread, const pthread_attr_t *how, void *(*run)(void *), void *arg),
       (thread, how, run, arg), EAGAIN)
