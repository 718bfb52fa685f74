/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return -1;
	e->kind = kind;
	e->sys = 0;
	e->lasting = e->unreached = false;
	e->wait_ms = 0;
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return -1;
}

/* Writes the formatted words behind the text that stands; what does not fit is cut. */
static void __attribute__((format(printf, 2, 0))) append(struct err *e, const char *fmt, va_list ap)
{
	size_t used = strlen(e->text);

	(void)vsnprintf(e->text + used, sizeof(e->text) - used, fmt, ap);
}

int err_sys(struct err *e, enum err_kind kind, int sys, const char *fmt, ...)
{
	char reason[128];
	va_list ap;

	if (!e)
		return -1;
	e->kind = kind;
	e->sys = sys;
	e->lasting = e->unreached = false;
	e->wait_ms = 0;
	e->text[0] = '\0';
	va_start(ap, fmt);
	append(e, fmt, ap);
	va_end(ap);
	size_t used = strlen(e->text);
	(void)snprintf(e->text + used, sizeof(e->text) - used, ": %s", strerror_r(sys, reason, sizeof(reason)));
	return -1;
}

int err_memory(struct err *e)
{
	err_set(e, ERR_LOCAL, "out of memory");
	if (e)
		e->sys = ENOMEM;
	return -1;
}

int err_at(struct err *e, const char *fmt, ...)
{
	char old[sizeof(e->text)];
	va_list ap;

	if (!e)
		return -1;
	memcpy(old, e->text, sizeof(old));
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	size_t used = strlen(e->text);
	(void)snprintf(e->text + used, sizeof(e->text) - used, ": %s", old);
	return -1;
}

int err_hint(struct err *e, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return -1;
	size_t used = strlen(e->text);
	(void)snprintf(e->text + used, sizeof(e->text) - used, "; ");
	va_start(ap, fmt);
	append(e, fmt, ap);
	va_end(ap);
	return -1;
}

int err_exit_code(const struct err *e)
{
	return e->kind == ERR_CANCELLED ? 128 + e->sys : (int)e->kind;
}
