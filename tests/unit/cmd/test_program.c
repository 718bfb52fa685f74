/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the program as a whole, between the shell and the flow: what each command line asks the flow for, what comes
 * out where, the exit codes, full disks, signals, and the password that is asked for on a terminal. Each run is a child
 * of this test; the flow is unit/cmd/fake_flow.c.
 */
#include "base/limits.h"
#include "base/own.h"
#include "base/text.h"
#include "cmd/cli.h"
#include "cmd/process.h"
#include "tests/unit/cmd/fake_flow.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define WORDS_MAX 24
#define TEXT 16384

struct result {
	int code;
	char out[TEXT];
	char err[TEXT];
	char diary[TEXT];
};

struct child {
	pid_t pid;
	int files[3]; /* out, err, diary: files without names */
};

static int nameless_file(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

static void read_back(int fd, char out[TEXT])
{
	ssize_t n = pread(fd, out, TEXT - 1, 0);

	assert_true(n >= 0);
	out[n] = '\0';
	close(fd);
}

/* In the child: the program on the words of `line`. Never returns. */
static _Noreturn void program(const char *line)
{
	char copy[1024], *argv[WORDS_MAX] = { (char[]){ "imgpack" } }, *save = NULL;
	struct err e = { 0 };
	int argc = 1;

	(void)snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok_r(copy, " ", &save); word && argc < WORDS_MAX - 1; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	if (process_prepare(&e))
		_exit(99);
	_exit(cli_main(argc, argv));
}

/* Starts the program with `input` on standard input; `out_fd` >= 0 is its standard output. */
static struct child start(const char *line, const char *input, int out_fd)
{
	struct child c = { .files = { nameless_file(), nameless_file(), nameless_file() } };
	int in = nameless_file();
	size_t len = input ? strlen(input) : 0;

	assert_int_equal(write(in, input ? input : "", len), (ssize_t)len);
	assert_int_equal(lseek(in, 0, SEEK_SET), 0);
	c.pid = fork();
	assert_true(c.pid >= 0);
	if (c.pid == 0) {
		(void)dup2(in, STDIN_FILENO);
		(void)dup2(out_fd >= 0 ? out_fd : c.files[0], STDOUT_FILENO);
		(void)dup2(c.files[1], STDERR_FILENO);
		fake.diary = c.files[2];
		program(line);
	}
	close(in);
	return c;
}

static void finish(struct child *c, struct result *r)
{
	int status;

	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	r->code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	read_back(c->files[0], r->out);
	read_back(c->files[1], r->err);
	read_back(c->files[2], r->diary);
}

static void run(struct result *r, const char *line, const char *input)
{
	struct child c = start(line, input, -1);

	finish(&c, r);
}

/* The line must ask the flow for exactly this. */
static void asks(const char *line, const char *input, const char *diary)
{
	struct result r;

	run(&r, line, input);
	if (r.code != 0)
		fail_msg("%s: exit %d: %s", line, r.code, r.err);
	if (strcmp(r.diary, diary) != 0)
		fail_msg("%s: asked for %snot for %s", line, r.diary, diary);
}

static void contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in: %s", part, text);
}

static int reset(void **state)
{
	(void)state;
	fake_reset();
	return 0;
}

static void what_is_asked(void **state)
{
	(void)state;
	asks("fetch nginx:1 -o x.tar", NULL, "fetch ref=nginx:1 output=x.tar\n");
	asks("fetch a b --plan", NULL, "fetch ref=a ref=b plan=yes\n");
	asks("fetch a --platform linux/arm64 --platform linux/amd64 -o x --connections 64", NULL,
	     "fetch ref=a platform=linux/arm64 platform=linux/amd64 output=x connections=64\n");
	asks("fetch a --all-platforms -ox --plain-http h:5000 --plain-http i --cacert ca.pem", NULL,
	     "fetch ref=a all=yes output=x plain_http=h:5000 plain_http=i cacert=ca.pem\n");
	asks("fetch a -o x --username me --password-stdin", "s3cret\n",
	     "fetch ref=a output=x user=me password=s3cret\n");
	asks("fetch a -o x --username me --password-stdin", " s3 \r\n", "fetch ref=a output=x user=me password= s3 \n");
	asks("fetch z --images - -o x", "# list\r\nnginx:1\r\nquay.io/x:1",
	     "fetch ref=z ref=nginx:1 ref=quay.io/x:1 output=x\n");
	asks("load x.tar", NULL, "load path=x.tar\n");
	asks("load x.tar --to registry:h:5000/p --replace --platform linux/arm/v7 --name a=b --name c=d --expect "
	     "sha256:00",
	     NULL,
	     "load path=x.tar to=registry:h:5000/p replace=yes platform=linux/arm/v7 name=a=b name=c=d "
	     "expect=sha256:00\n");
	asks("load x.tar --username me --password-stdin", "p", "load path=x.tar user=me password=p\n");
	asks("verify x.tar", NULL, "verify path=x.tar diff_ids=yes\n");
	asks("verify a b c --no-diff-ids", NULL, "verify path=a path=b path=c\n");
	asks("verify --no-diff-ids -- -x.tar", NULL, "verify path=-x.tar\n");
	asks("inspect x.tar", NULL, "inspect path=x.tar\n");
	asks("check x.tar", NULL, "check path=x.tar\n");
	asks("check x --target k3s --target docker20 --platform linux/arm64", NULL,
	     "check path=x target=k3s target=docker20 platform=linux/arm64\n");
	asks("convert x.tar -o y.tar", NULL, "convert path=x.tar output=y.tar\n");
	asks("convert a b -o y --name c=d --split 4096 --parity 2", NULL,
	     "convert path=a path=b output=y name=c=d split=4096 parity=2\n");
	asks("repair d e", NULL, "repair path=d path=e\n");
	asks("repair x.tar.001 -o out --json", NULL, "repair path=x.tar.001 folder=out\n");
	asks("serve a.tar b.tar", NULL, "serve path=a.tar path=b.tar\n");
	asks("serve a.tar --listen :443 --cert c --key k --auth u --access-log l --no-verify", NULL,
	     "serve path=a.tar listen=:443 cert=c key=k users=u log=l no_verify=yes\n");
	asks("login quay.io --username me --password-stdin --plain-http quay.io", "p\n",
	     "login registry=quay.io user=me password=p plain_http=quay.io\n");
	asks("login --username me --password-stdin", "p", "login user=me password=p\n");
	asks("logout", NULL, "logout\n");
	asks("logout quay.io", NULL, "logout registry=quay.io\n");
}

static void what_is_said(void **state)
{
	struct result r;

	(void)state;
	run(&r, "fetch nginx -o /some/where/x.tar", NULL);
	contains(r.out, "DIGEST        PLATFORM     LAYERS     SIZE  IMAGE\n"
			"101010101010  linux/amd64       3   188 MB  docker.io/library/nginx:1.27\n");
	contains(r.out, "\nwrote /some/where/x.tar: 2 images, 377 MB\nID sha256:abababab");
	contains(r.out, "\nNext: carry it over, then: imgpack load x.tar\n");
	assert_string_equal(r.err, "a note\n");
	run(&r, "fetch nginx --plan", NULL);
	assert_string_equal(
		r.out,
		"DIGEST        PLATFORM     LAYERS     SIZE  DOWNLOAD  IMAGE\n"
		"101010101010  linux/amd64       3   188 MB    157 MB  docker.io/library/nginx:1.27\n"
		"111111111111  3 platforms       3   188 MB   62.8 MB  "
		"quay.io/prometheus-operator/prometheus-config-reloader:v0.79.2\n"
		"\n"
		"plan: 2 images; nothing was downloaded but manifests, nothing was written\n"
		"download   220 MB; 31.4 MB are on this disk already\n"
		"left out   2 layers, 126 MB: the other side has them\n"
		"archive    377 MB\n"
		"here       377 MB of disk in /media/st\\x1b[2Jick, where only 97.0 MB are free: it does not fit\n"
		"there      377 MB to carry, nothing is joined; a registry takes up to 377 MB,\n"
		"           docker 377 MB while it loads and the room of the unpacked layers\n"
		"pulls      docker.io: 76 of 100 left (in 6 h), this fetch takes 12\n"
		"pulls      hub: 2 left, but this fetch takes 3: it is not enough now\n");
	run(&r, "verify x.tar", NULL);
	contains(r.out, "x.tar: good: 2 images, 14 blobs, 376 MB checked\nnot checked: layers of \\x1b[31mred:1 have");
	run(&r, "convert x.tar -o y.tar", NULL);
	contains(r.out,
		 "\nnot checked: layers of \\x1b[31mred:1 have no digest\nwrote y.tar: 2 images, 377 MB\nID sha256:ab");
	run(&r, "repair d", NULL);
	assert_string_equal(r.out, "x.tar: good: 3 chunks and 1 parity file, nothing to repair\n");
	run(&r, "load x.tar", NULL);
	contains(r.out, "loaded quay.io/x:1 as reg.local/quay\\x1b[2J:1 (sha256:10101010");
	contains(r.out, ")\ndocker: 1 image, 12.3 MB sent, 0 B were there already\n");
	run(&r, "login --username me --password-stdin", "p");
	assert_string_equal(r.out, "logged in to docker.io; credentials are in /home/me/.docker/config.json\n");
	run(&r, "logout quay.io", NULL);
	assert_string_equal(r.out, "removed the credentials for quay.io from docker-credential-pass\n");
	fake.nameless = true;
	run(&r, "logout quay.io", NULL);
	assert_string_equal(r.out, "no credentials were stored for quay.io\n");
	run(&r, "load x.tar", NULL);
	contains(r.out, "loaded an image without a name as ");
	run(&r, "inspect x.tar", NULL);
	contains(r.out, "188 MB  (no name)\n");
}

/* What does not load is exit code 7, and listed; what only a tool of its own stumbles over is neither. */
static void check_says(void **state)
{
	struct result r;

	(void)state;
	run(&r, "check x.tar", NULL);
	assert_int_equal(r.code, 0);
	contains(r.out, "docker28 (a docker): loads, with imgpack load\n"
			"  with its own tool: quay.io/\\x1b[2Jx:1 and 2 more: in one tool only\n");
	fake.problems = 1;
	run(&r, "check x.tar -q", NULL);
	assert_int_equal(r.code, ERR_TARGET);
	assert_string_equal(r.out, "docker20 (a docker): does not load\n"
				   "  quay.io/\\x1b[2Jx:1 and 2 more: has zstd layers\n");
	contains(r.err, "x.tar: does not load in 1 of 2 targets");
}

/* What was repaired is success; what cannot be is not, and is listed. */
static void repair_says(void **state)
{
	struct result r;

	(void)state;
	fake.problems = 1;
	run(&r, "repair d", NULL);
	assert_int_equal(r.code, 0);
	assert_string_equal(r.out, "d/x.tar.002: bytes 0 to 511: is damaged\n"
				   "rebuilt d/\\x1b[31mx.tar.002.repaired (4.10 kB)\n");
	run(&r, "repair d -q", NULL);
	assert_int_equal(r.code, 0);
	assert_string_equal(r.out, "");
	fake.fail = ERR_CORRUPT;
	fake.fail_text = "more is lost";
	run(&r, "repair d -q", NULL);
	assert_int_equal(r.code, 1);
	assert_string_equal(r.out, "d/x.tar.002: bytes 0 to 511: is damaged\n");
	contains(r.err, "more is lost");
	fake.fail = ERR_LOCAL;
	run(&r, "repair d", NULL);
	assert_int_equal(r.code, 6);
	assert_string_equal(r.out, "");
}

/* Names come from outside: none of their bytes reaches the terminal raw. */
static void names_are_escaped(void **state)
{
	static const char *const lines[] = { "fetch a -o x", "fetch a --plan", "inspect x", "verify x", "load x" };
	struct result r;

	(void)state;
	fake.name = "evil\033]0;title\007\xc2\x9b\xe2\x80\xae:1";
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		run(&r, lines[i], NULL);
		assert_int_equal(r.code, 0);
		for (const char *c = r.out; *c; c++)
			assert_true(*c == '\n' || ((unsigned char)*c >= 0x20 && (unsigned char)*c < 0x7f));
	}
	run(&r, "inspect x", NULL);
	contains(r.out, "evil\\x1b]0;title\\x07\\u{9b}\\u{202e}:1");
}

static void inspect_fits(void **state)
{
	struct result r;
	char *save = NULL;

	(void)state;
	fake.images = 1;
	run(&r, "inspect x.tar", NULL);
	contains(r.out, "x.tar: imgpack archive, 377 MB, 1 image\nID sha256:ab");
	contains(r.out, "\n  created 2026-01-02T03:04:05Z\n");
	contains(r.out, "\n 31.4 MB sha256:3030303030303030303030303030303030303030303030303030303030303030\n");
	contains(r.out, "3131 zstd\n");
	for (char *line = strtok_r(r.out, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		assert_true(text_columns(line) <= 80 || strstr(line, " zstd") || strstr(line, " tar"));
}

/* The settings are a file's text, alone on standard output. */
static void serve_says(void **state)
{
	struct result r;

	(void)state;
	run(&r, "serve --print-config podman --url http://s:1 a.tar", NULL);
	assert_int_equal(r.code, 0);
	assert_string_equal(r.out, "settings of podman for http://s:1, 1 archives\n");
	run(&r, "serve", NULL);
	assert_int_equal(r.code, 2);
	run(&r, "serve a.tar --key k", NULL);
	assert_int_equal(r.code, 2);
	run(&r, "serve a.tar --url http://s:1", NULL);
	assert_int_equal(r.code, 2);
}

static void json_and_quiet(void **state)
{
	static const char *const verbs[] = { "fetch a -o x", "load x",   "verify x",
					     "inspect x",    "repair x", "convert x -o y" };
	struct result r;
	char line[64];

	(void)state;
	fake.warning = "beware";
	for (size_t i = 0; i < 6; i++) {
		(void)snprintf(line, sizeof(line), "%s --json", verbs[i]);
		run(&r, line, NULL);
		assert_string_equal(r.out, "{\"fake\":true}\n");
		assert_string_equal(r.err, "a note\nimgpack: warning: beware\n");
		(void)snprintf(line, sizeof(line), "%s --json -q", verbs[i]);
		run(&r, line, NULL);
		assert_string_equal(r.out, "{\"fake\":true}\n");
		assert_string_equal(r.err, "imgpack: warning: beware\n");
		(void)snprintf(line, sizeof(line), "%s -q", verbs[i]);
		run(&r, line, NULL);
		assert_int_equal(*r.out == '\0', i != 3);
		(void)snprintf(line, sizeof(line), "%s -v", verbs[i]);
		run(&r, line, NULL);
		assert_string_equal(r.err, "a note\na detail\nimgpack: warning: beware\n");
	}
}

static void progress_lines(void **state)
{
	struct result r;

	(void)state;
	fake.events = 2;
	run(&r, "fetch a -o x", NULL);
	assert_string_equal(r.err,
			    "a note\nfetching: 2 items, 2.00 MB\nsha256:000000000000 layer: done, 1.00 MB (1 of 2)\n"
			    "sha256:000000000001 layer: done, 1.00 MB (2 of 2)\n");
	run(&r, "fetch a -o x --no-progress", NULL);
	assert_string_equal(r.err, "a note\n");
	run(&r, "fetch a -o x -q", NULL);
	assert_string_equal(r.err, "");
}

static void exit_codes(void **state)
{
	static const char *const verbs[] = {
		"fetch a -o x", "load x", "inspect x", "convert x -o y", "login --username u --password-stdin", "logout"
	};
	struct result r;

	(void)state;
	fake.fail_text = "quay.io/x:1: layer 2 of 5";
	for (int kind = ERR_CORRUPT; kind <= ERR_TARGET; kind++) {
		fake.fail = (enum err_kind)kind;
		for (size_t i = 0; i < 6; i++) {
			run(&r, verbs[i], "p");
			assert_int_equal(r.code, kind);
			assert_string_equal(r.out, "");
			contains(r.err, "imgpack: quay.io/x:1: layer 2 of 5\n");
			assert_int_equal(strstr(r.err, "See: imgpack ") != NULL, kind == ERR_USAGE);
		}
	}
	fake.fail = ERR_LOCAL;
	run(&r, "verify x", NULL);
	assert_int_equal(r.code, 6);
}

static void problems_are_listed(void **state)
{
	struct result r;

	(void)state;
	fake.problems = 2;
	run(&r, "verify x.tar", NULL);
	assert_int_equal(r.code, 1);
	assert_string_equal(r.out,
			    "x.tar: bytes 0 to 511: blobs/sha256/aa: image quay.io/x:1: is not its digest\n"
			    "x.tar: bytes 4096 to 4607: blobs/sha256/aa: image quay.io/x:1: is not its digest\n");
	assert_string_equal(r.err, "a note\nimgpack: x.tar: not good: 2 problems\n");
	run(&r, "verify x.tar -q", NULL);
	assert_int_equal(r.code, 1);
	contains(r.out, "is not its digest");
	run(&r, "verify x.tar --json", NULL);
	assert_int_equal(r.code, 1);
	assert_string_equal(r.out, "{\"fake\":true}\n");
	/* A verdict without a list says it all itself. */
	fake.problems = 0;
	fake.fail = ERR_CORRUPT;
	fake.fail_text = "x.tar: cut off";
	run(&r, "verify x.tar", NULL);
	assert_int_equal(r.code, 1);
	assert_string_equal(r.out, "");
	contains(r.err, "imgpack: x.tar: cut off\n");
}

/* A result that did not arrive is no success. */
static void full_disk(void **state)
{
	static const char *const lines[] = { "fetch a -o x --json", "inspect x", "--help", "version",
					     "completion bash" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		int full = open("/dev/full", O_WRONLY);
		struct result r;
		assert_true(full >= 0);
		struct child c = start(lines[i], NULL, full);
		finish(&c, &r);
		close(full);
		assert_int_equal(r.code, 6);
		contains(r.err, "imgpack: standard output: No space left on device\n");
	}
}

static void nobody_reads(void **state)
{
	int ends[2];
	struct result r;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	struct child c = start("inspect x", NULL, ends[1]);
	finish(&c, &r);
	close(ends[1]);
	assert_int_equal(r.code, 6);
	contains(r.err, "standard output: Broken pipe");
}

/* A file size limit is an error of write(), not the end of the program. */
static void size_limit(void **state)
{
	struct result r = { 0 };
	int status, err = nameless_file(), out = nameless_file();
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct rlimit small = { 64, 64 };
		(void)dup2(out, STDOUT_FILENO);
		(void)dup2(err, STDERR_FILENO);
		/* Under the limit there is no room for anything longer than this error either. */
		if (setrlimit(RLIMIT_FSIZE, &small))
			_exit(98);
		program("inspect -q x");
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	read_back(err, r.err);
	close(out);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 6);
	assert_string_equal(r.err, "imgpack: standard output: File too large\n");
}

/* Without descriptors 0 to 2 nothing the program opens becomes one of them, and a result that cannot leave is an error.
 */
static void closed_descriptors(void **state)
{
	int status, diary = nameless_file();
	char text[TEXT];
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e = { 0 };
		close(0);
		close(1);
		close(2);
		fake.diary = diary;
		if (process_prepare(&e))
			_exit(97);
		int next = open("/dev/null", O_RDONLY);
		if (next < 3 || write(1, "x", 1) != -1 || errno != EBADF)
			_exit(96);
		program("inspect x");
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 6);
	read_back(diary, text);
	assert_string_equal(text, "inspect path=x\n");
}

static void nap(void)
{
	const struct timespec t = { 0, 5000000 };

	(void)nanosleep(&t, NULL);
}

/* Waits until the child is inside the flow: its diary says so. */
static void wait_for_flow(const struct child *c)
{
	char byte;

	for (int i = 0; i < 2000; i++) {
		if (pread(c->files[2], &byte, 1, 0) == 1)
			return;
		nap();
	}
	fail_msg("the flow was not called");
}

static void signals_stop_it(void **state)
{
	static const struct {
		int signal;
		const char *name;
	} each[] = { { SIGINT, "SIGINT" }, { SIGTERM, "SIGTERM" }, { SIGHUP, "SIGHUP" } };
	char expected[64];

	(void)state;
	fake.wait_for_signal = true;
	for (size_t i = 0; i < 3; i++) {
		struct child c = start("fetch a -o x -q", NULL, -1);
		struct result r;
		wait_for_flow(&c);
		assert_int_equal(kill(c.pid, each[i].signal), 0);
		finish(&c, &r);
		assert_int_equal(r.code, 128 + each[i].signal);
		(void)snprintf(expected, sizeof(expected), "imgpack: stopped by %s\n", each[i].name);
		assert_string_equal(r.err, expected);
		assert_string_equal(r.out, "");
	}
}

/* A verb that does not look at the flag cannot hold the second ^C up. */
static void second_interrupt(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e = { 0 };
		if (process_prepare(&e))
			_exit(99);
		(void)raise(SIGINT);
		(void)raise(SIGINT);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGINT);
}

static void nohup_is_kept(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e = { 0 };
		(void)signal(SIGHUP, SIG_IGN);
		if (process_prepare(&e))
			_exit(99);
		(void)raise(SIGHUP);
		(void)raise(SIGPIPE);
		(void)raise(SIGXFSZ);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Neither a file nor a collector's pipe gets a dump, and other programs of the user cannot look into the memory. */
static void memory_is_private(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e = { 0 };
		struct rlimit core;
		if (process_prepare(&e) || getrlimit(RLIMIT_CORE, &core))
			_exit(99);
		if (core.rlim_cur != 0 || core.rlim_max != 0)
			_exit(1);
		_exit(prctl(PR_GET_DUMPABLE, 0L, 0L, 0L, 0L) == 0 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* The program on a terminal of its own; the master side is ours. */
static pid_t on_terminal(const char *line, int *master, int diary)
{
	const struct winsize window = { .ws_row = 24, .ws_col = 80 };
	pid_t pid = forkpty(master, NULL, NULL, &window);

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)setenv("TERM", "xterm", 1);
		(void)unsetenv("NO_COLOR");
		fake.diary = diary;
		program(line);
	}
	return pid;
}

/* Reads what the terminal shows, until `until` is there or it is closed. */
static void watch(int master, char screen[TEXT], const char *until)
{
	size_t len = strlen(screen);

	while (!until || !strstr(screen, until)) {
		struct pollfd p = { .fd = master, .events = POLLIN };
		assert_true(poll(&p, 1, 20000) > 0);
		ssize_t n = read(master, screen + len, TEXT - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
		screen[len] = '\0';
	}
	if (until && !strstr(screen, until))
		fail_msg("\"%s\" never came: %s", until, screen);
}

static bool echoes(int master)
{
	struct termios t;

	assert_int_equal(tcgetattr(master, &t), 0);
	return t.c_lflag & ECHO;
}

static void type(int master, const char *text)
{
	assert_int_equal(write(master, text, strlen(text)), (ssize_t)strlen(text));
}

static int reap(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void password_is_not_shown(void **state)
{
	int master, diary = nameless_file();
	char screen[TEXT] = "", asked[TEXT];

	(void)state;
	pid_t pid = on_terminal("login quay.io", &master, diary);
	watch(master, screen, "Username: ");
	assert_true(echoes(master));
	type(master, "me\n");
	watch(master, screen, "Password: ");
	assert_false(echoes(master));
	type(master, "s3cret pass\n");
	watch(master, screen, "logged in to quay.io");
	assert_true(echoes(master));
	watch(master, screen, NULL);
	assert_int_equal(reap(pid), 0);
	close(master);
	assert_null(strstr(screen, "s3cret"));
	read_back(diary, asked);
	assert_string_equal(asked, "login registry=quay.io user=me password=s3cret pass\n");
}

/* Stopped at the password: the terminal echoes again, and the exit code is the signal's. */
static void stopped_at_the_password(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int master, slave;
		char screen[TEXT] = "", name[64];
		pid_t pid = on_terminal("login quay.io --username me", &master, -1);
		/* Keeps the terminal's settings alive when the program is gone. */
		assert_int_equal(ptsname_r(master, name, sizeof(name)), 0);
		slave = open(name, O_RDWR | O_NOCTTY);
		assert_true(slave >= 0);
		watch(master, screen, "Password: ");
		assert_null(strstr(screen, "Username"));
		assert_false(echoes(master));
		type(master, "half");
		if (signals[i] == SIGINT)
			type(master, "\003");
		else
			assert_int_equal(kill(pid, signals[i]), 0);
		assert_int_equal(reap(pid), 128 + signals[i]);
		assert_true(echoes(master));
		watch(master, screen, "stopped by ");
		assert_null(strstr(screen, "half"));
		close(slave);
		close(master);
	}
}

static void empty_answers(void **state)
{
	int master;
	char screen[TEXT] = "";

	(void)state;
	pid_t pid = on_terminal("login quay.io --username me", &master, -1);
	watch(master, screen, "Password: ");
	type(master, "\n");
	watch(master, screen, "no password was given");
	assert_int_equal(reap(pid), 2);
	close(master);
	screen[0] = '\0';
	pid = on_terminal("login quay.io", &master, -1);
	watch(master, screen, "Username: ");
	type(master, "\004");
	watch(master, screen, "standard input ended");
	assert_int_equal(reap(pid), 2);
	close(master);
}

/* On a terminal: bars while it works, colours a little, nothing of the bars at the end. */
static void bars_on_a_terminal(void **state)
{
	int master;
	char screen[TEXT] = "";

	(void)state;
	fake.events = 3;
	pid_t pid = on_terminal("fetch a -o x", &master, -1);
	watch(master, screen, NULL);
	assert_int_equal(reap(pid), 0);
	close(master);
	contains(screen, "0 of 3, 0 B / 3.00 MB, 0%");
	contains(screen, "\033[?25h");
	contains(screen, "\r\033[J");
	contains(screen, "\033[1;32mwrote\033[0m x: 2 images");
	assert_null(strstr(strstr(screen, "wrote"), "\033[J"));
}

static void password_edges(void **state)
{
	static char big[LIMIT_PASSWORD + 2];
	struct result r;

	(void)state;
	memset(big, 'x', LIMIT_PASSWORD + 1);
	run(&r, "login --username me --password-stdin", big);
	assert_int_equal(r.code, 2);
	contains(r.err, "longer than 65536 bytes");
	big[LIMIT_PASSWORD] = '\0';
	run(&r, "login --username me --password-stdin", big);
	assert_int_equal(r.code, 0);
	run(&r, "login --username me --password-stdin", "\n");
	assert_int_equal(r.code, 2);
	contains(r.err, "standard input is empty");
	/* One newline belongs to the shell, the second to the password. */
	run(&r, "login --username me --password-stdin", "a\n\n");
	assert_string_equal(r.diary, "login user=me password=a\n\n");
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup(test, reset)
	const struct CMUnitTest tests[] = {
		EACH(what_is_asked),
		EACH(what_is_said),
		EACH(names_are_escaped),
		EACH(check_says),
		EACH(repair_says),
		EACH(serve_says),
		EACH(inspect_fits),
		EACH(json_and_quiet),
		EACH(progress_lines),
		EACH(exit_codes),
		EACH(problems_are_listed),
		EACH(full_disk),
		EACH(nobody_reads),
		EACH(size_limit),
		EACH(closed_descriptors),
		EACH(signals_stop_it),
		EACH(second_interrupt),
		EACH(nohup_is_kept),
		EACH(memory_is_private),
		EACH(password_is_not_shown),
		EACH(stopped_at_the_password),
		EACH(empty_answers),
		EACH(bars_on_a_terminal),
		EACH(password_edges),
	};

	/* The user's own settings must not decide what is seen here. */
	if (setenv("IMGPACK_CONFIG", "", 1))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
