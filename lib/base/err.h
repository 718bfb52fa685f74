/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/*
 * The error. One `struct err` lives on the stack of the caller that will report it; everything below fills it.
 * It owns no memory, so it can carry "out of memory".
 *
 * A function that can fail takes `struct err *e` last and returns 0 or -1 (or a pointer or NULL). On success `*e` is
 * untouched. err_set() is called once, where the failure is met; err_at() on the way up, where a new noun is known:
 *
 *     quay.io/x:1: layer 2 of 5: sha256:9f1a...: body ended at 512 of 4096 bytes
 *
 * `kind` is for the program (exit code, try again or not), `text` for the person.
 */

#include <stdbool.h>
#include <stdint.h>

/* The first seven are the exit codes of design.md. */
enum err_kind {
	ERR_NONE = 0,
	ERR_CORRUPT = 1,  /* the bytes are not what was promised */
	ERR_USAGE = 2,    /* the caller asked for something that makes no sense */
	ERR_NETWORK = 3,  /* network or registry unreachable, or it broke the protocol */
	ERR_DENIED = 4,   /* credentials refused or missing */
	ERR_ABSENT = 5,   /* no such image, tag, platform */
	ERR_LOCAL = 6,    /* local disk, file, memory */
	ERR_TARGET = 7,   /* the target of a load refused */
	ERR_CANCELLED = 8 /* a signal asked us to stop; `sys` is its number */
};

struct err {
	enum err_kind kind;
	int sys; /* errno, HTTP status for ERR_NETWORK, signal number for ERR_CANCELLED, or 0 */
	/* For who tries again; all are 0 after err_set(). */
	bool lasting;    /* the same would happen again: a certificate, a redirect that leads nowhere */
	bool unreached;  /* nobody is there: no such name, nobody listens; passing only if somebody was there before */
	int64_t wait_ms; /* how long the other side asks to be left alone (at least 1); 0: it did not say */
	char text[480];  /* printable: foreign bytes were escaped with text_escape() before they came here */
};

/* Fills *e. Always returns -1. The text is cut, never overrun. A NULL `e` is allowed (the caller does not care). */
int err_set(struct err *e, enum err_kind kind, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* err_set() with errno: appends ": " and strerror(sys), and keeps `sys`. Always returns -1. */
int err_sys(struct err *e, enum err_kind kind, int sys, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* "out of memory", ERR_LOCAL, ENOMEM. Always returns -1. */
int err_memory(struct err *e);

/* Puts "NOUN: " in front of the text. Always returns -1. */
int err_at(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Appends "; HINT": what to do next. Always returns -1. */
int err_hint(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The process's exit code for this error: the kind, or 128 + signal. */
int err_exit_code(const struct err *e);

#endif
