/* SPDX-License-Identifier: Apache-2.0 */
#include "http/wire.h"

#include "base/text.h"

#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Why TLS failed, and what to do about it. curl's and OpenSSL's own words are the only place where some of it stands.
 */

static bool said(const struct http_reply *r, const char *words)
{
	return strstr(r->client->errors, words) != NULL;
}

/* OpenSSL's verdict; names are compared by curl itself, so OpenSSL says nothing about them. */
static long verdict(const struct http_reply *r)
{
	long verify = X509_V_OK;

	if (said(r, "subject name"))
		return X509_V_ERR_HOSTNAME_MISMATCH;
	if (curl_easy_getinfo(r->client->easy, CURLINFO_SSL_VERIFYRESULT, &verify) != CURLE_OK)
		return X509_V_OK;
	if (verify == X509_V_OK &&
	    curl_easy_getinfo(r->client->easy, CURLINFO_PROXY_SSL_VERIFYRESULT, &verify) != CURLE_OK)
		return X509_V_OK;
	return verify;
}

/* Dates are judged by this machine's clock, which is wrong more often than a certificate. */
static void dates(char out[WIRE_WORDS], const char *what)
{
	time_t now = time(NULL);
	struct tm tm = { 0 };
	char clock[32] = "?";

	if (gmtime_r(&now, &tm) && !strftime(clock, sizeof(clock), "%Y-%m-%d %H:%M UTC", &tm))
		clock[0] = '\0';
	(void)snprintf(out, WIRE_WORDS, "its certificate %s (is this machine's clock right? It says %s)", what, clock);
}

void wire_certificate_words(const struct http_reply *r, char out[WIRE_WORDS])
{
	char text[200];
	long verify = verdict(r);

	text_escape_str(text, sizeof(text), r->client->errors);
	switch (verify) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		dates(out, "has expired");
		return;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		dates(out, "is not valid yet");
		return;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		(void)snprintf(
			out, WIRE_WORDS,
			"its certificate is self-signed, so no authority vouches for it; if it is yours, --cacert FILE "
			"names a copy of it");
		return;
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		(void)snprintf(
			out, WIRE_WORDS,
			"its certificate is signed by an authority that this machine does not know; --cacert FILE "
			"names yours (a company's proxy may sign with its own)");
		return;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		(void)snprintf(out, WIRE_WORDS,
			       "its certificate is for another name (%s); ask for it by a name that stands in it",
			       text);
		return;
	case X509_V_OK:
	case X509_V_ERR_UNSPECIFIED:
		(void)snprintf(out, WIRE_WORDS, "its certificate is not accepted: %s", text);
		return;
	default:
		(void)snprintf(out, WIRE_WORDS, "its certificate is not accepted: %s",
			       X509_verify_cert_error_string(verify));
	}
}

bool wire_handshake_words(const struct http_reply *r, char out[WIRE_WORDS])
{
	char text[200];
	const char *lasting = NULL;

	text_escape_str(text, sizeof(text), r->client->errors);
	if (said(r, "wrong version number") || said(r, "http request") || said(r, "packet length too long") ||
	    said(r, "record layer failure"))
		lasting = "does not speak TLS (if it is meant to be plain HTTP: --plain-http HOST[:PORT])";
	else if (said(r, "alert protocol version") || said(r, "unsupported protocol"))
		lasting = "speaks no TLS 1.2 or newer, and older ones are not safe";
	if (lasting)
		(void)snprintf(out, WIRE_WORDS, "%s", lasting);
	else
		(void)snprintf(out, WIRE_WORDS, "the TLS handshake failed: %s", *text ? text : "no reason was given");
	return lasting;
}

bool wire_client_words(const struct http_reply *r, char out[WIRE_WORDS])
{
	/* Servers of Go say "bad certificate" before TLS 1.3, whatever was wrong or missing. */
	static const char *const refusals[] = { "alert bad certificate",     "alert unsupported certificate",
						"alert certificate expired", "alert certificate unknown",
						"alert certificate revoked", "alert unknown ca",
						"alert certificate required" };

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (!said(r, refusals[i]))
			continue;
		if (r->has_cert)
			(void)snprintf(out, WIRE_WORDS, "refuses the client certificate of --cert: it says \"%s\"",
				       refusals[i] + strlen("alert "));
		else
			(void)snprintf(out, WIRE_WORDS, "wants a client certificate (--cert FILE --key FILE)");
		return true;
	}
	return false;
}
