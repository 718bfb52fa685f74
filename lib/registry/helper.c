/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/helper.h"

#include "base/limits.h"
#include "base/text.h"
#include "oci/json.h"
#include "registry/secret.h"
#include "stream/process.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_LEN 64
#define TOKEN_USER "<token>" /* the username that says "the secret is an identity token" */

bool helper_name_valid(const char *name)
{
	size_t len = strlen(name);

	if (len < 1 || len > NAME_MAX_LEN)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
		if (!plain && (i == 0 || !strchr("._-", c)))
			return false;
	}
	return true;
}

/* Runs "docker-credential-NAME ACTION"; what it printed goes to *out. */
static int run(const char *name, const char *action, const char *input, size_t len, struct buf *out, int *status,
	       struct err *e)
{
	char program[sizeof("docker-credential-") + NAME_MAX_LEN];
	char shown[160];

	if (!helper_name_valid(name))
		return err_set(e, ERR_DENIED,
			       "\"%s\" cannot be the name of a credential helper (letters, digits, . _ -)",
			       text_escape_str(shown, sizeof(shown), name));
	(void)snprintf(program, sizeof(program), "docker-credential-%s", name);
	const char *const arguments[] = { action, NULL };
	const struct process_run r = {
		.program = program,
		.arguments = arguments,
		.input = input,
		.input_len = len,
		.secret = true,
		.max_output = LIMIT_CREDENTIALS,
		.seconds = LIMIT_HELPER_SECONDS,
	};
	if (process_run(&r, out, status, e)) {
		if (e && e->kind == ERR_LOCAL)
			e->kind = ERR_DENIED;
		return err_at(e, "%s", program);
	}
	return 0;
}

/* The protocol has no code for "nothing there", only this sentence on standard output beside a failing exit. */
static bool says_not_found(const struct buf *out)
{
	return out->data && text_starts(out->data, "credentials not found");
}

/*
 * A helper that failed may explain itself on standard output, and a confused one may put the secret there. So only a
 * first line without anything that looks like JSON is shown, and nothing at all after it was given a secret.
 */
static int failed(const char *name, const char *action, const struct buf *out, int status, bool quiet, struct err *e)
{
	char shown[LIMIT_ERROR_SHOWN / 2];
	size_t len = out->data ? strcspn(out->data, "\r\n") : 0;

	err_set(e, ERR_DENIED, "docker-credential-%s %s ended with code %d", name, action, status);
	if (!quiet && len && !memchr(out->data, '{', len) && !memchr(out->data, '"', len))
		err_hint(e, "it says: %s", text_escape(shown, sizeof(shown), out->data, len));
	return -1;
}

static int read_answer(const char *name, const struct buf *out, struct credential *c, struct err *e)
{
	struct err failure = { 0 };
	AUTO(jdoc) doc = jdoc_parse(out->data ? out->data : "", out->len, &failure);
	const char *user = NULL;
	const char *secret = NULL;

	if (failure.sys == ENOMEM)
		return err_memory(e);
	/* The parser's own message may quote the text, and the text is the secret. */
	if (!doc || !jval_is_object(jdoc_root(doc)) || jval_get_text(jdoc_root(doc), "Username", true, &user, NULL) ||
	    jval_get_text(jdoc_root(doc), "Secret", true, &secret, NULL))
		return err_set(e, ERR_DENIED,
			       "docker-credential-%s get: the answer is not the JSON object with Username "
			       "and Secret that it should be",
			       name);
	if (!*user && !*secret)
		return 0;
	if (!strcmp(user, TOKEN_USER))
		return secret_copy(&c->username, user, e) || secret_copy(&c->identity_token, secret, e) ? -1 : 0;
	return secret_copy(&c->username, user, e) || secret_copy(&c->password, secret, e) ? -1 : 0;
}

int helper_get(const char *name, const char *server, struct credential *out, struct err *e)
{
	AUTO_SECRET answer = { 0 };
	struct credential c = { 0 };
	int status = 0;

	if (run(name, "get", server, strlen(server), &answer, &status, e))
		return -1;
	if (status && !says_not_found(&answer))
		return failed(name, "get", &answer, status, false, e);
	if (!status && read_answer(name, &answer, &c, e)) {
		credential_release(&c);
		return -1;
	}
	*out = c;
	return 0;
}

int helper_store(const char *name, const char *server, const struct credential *c, struct err *e)
{
	AUTO_SECRET request = { 0 };
	AUTO_SECRET answer = { 0 };
	int status = 0;

	/* Reserved first: six bytes for each of theirs is what escaping can cost at most. */
	const char *secret = c->identity_token ? c->identity_token : c->password;
	size_t room = 128 + 6 * (strlen(server) + strlen(c->username) + strlen(secret));
	if (buf_reserve(&request, room, e))
		return -1;
	struct jout j = jout_begin(&request);
	jout_object(&j);
	jout_key(&j, "ServerURL");
	jout_text(&j, server);
	jout_key(&j, "Username");
	jout_text(&j, c->identity_token ? TOKEN_USER : c->username);
	jout_key(&j, "Secret");
	jout_text(&j, secret);
	jout_end(&j);
	if (jout_finish(&j, e) || run(name, "store", request.data, request.len, &answer, &status, e))
		return -1;
	return status ? failed(name, "store", &answer, status, true, e) : 0;
}

int helper_erase(const char *name, const char *server, struct err *e)
{
	AUTO_SECRET answer = { 0 };
	int status = 0;

	if (run(name, "erase", server, strlen(server), &answer, &status, e))
		return -1;
	if (status && !says_not_found(&answer))
		return failed(name, "erase", &answer, status, false, e);
	return 0;
}
