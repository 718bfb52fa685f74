/* SPDX-License-Identifier: Apache-2.0 */
#include "base/events.h"

#include <stdarg.h>
#include <stdio.h>

void event_emit(const struct events *ev, const struct event *event)
{
	if (ev && ev->emit)
		ev->emit(ev->ctx, event);
}

void event_text(const struct events *ev, enum event_kind kind, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	event_emit(ev, &(struct event){ .kind = kind, .text = text });
}

void event_begin(const struct events *ev, uint64_t id, uint64_t total, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	event_emit(ev, &(struct event){ .kind = EVENT_BEGIN, .id = id, .total = total, .text = text });
}

void event_progress(const struct events *ev, uint64_t id, uint64_t done, uint64_t total)
{
	event_emit(ev, &(struct event){ .kind = EVENT_PROGRESS, .id = id, .done = done, .total = total });
}

void event_end(const struct events *ev, uint64_t id, const char *how)
{
	event_emit(ev, &(struct event){ .kind = EVENT_END, .id = id, .text = how });
}
