/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "digest.h"

#include <nettle/md5.h>
#include <nettle/sha2.h>
#include <sys/types.h>

#include "../util/cleanup.h"

enum { CHUNK_BYTES = 128 * 1024 };

void digest_sha256(const void *data, size_t length, uint8_t ret_digest[DIGEST_SHA256_BYTES])
{
	struct sha256_ctx state;

	sha256_init(&state);
	sha256_update(&state, length, data);
	sha256_digest(&state, DIGEST_SHA256_BYTES, ret_digest);
}

void digest_md5(const void *data, size_t length, uint8_t ret_digest[DIGEST_MD5_BYTES])
{
	struct md5_ctx state;

	md5_init(&state);
	md5_update(&state, length, data);
	md5_digest(&state, DIGEST_MD5_BYTES, ret_digest);
}

typedef void (*update_fn)(void *state, size_t length, const uint8_t *data);

static int update_from_fd(int fd, update_fn update, void *state)
{
	CLEANUP_FREE uint8_t *chunk = malloc(CHUNK_BYTES);
	off_t offset = 0;
	ssize_t n;

	if (!chunk)
		return -ENOMEM;
	while ((n = pread(fd, chunk, CHUNK_BYTES, offset)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		update(state, (size_t)n, chunk);
		offset += n;
	}
	return 0;
}

static void update_sha256(void *state, size_t length, const uint8_t *data)
{
	sha256_update(state, length, data);
}

static void update_md5(void *state, size_t length, const uint8_t *data)
{
	md5_update(state, length, data);
}

int digest_sha256_fd(int fd, uint8_t ret_digest[DIGEST_SHA256_BYTES])
{
	struct sha256_ctx state;
	int r;

	sha256_init(&state);
	r = update_from_fd(fd, update_sha256, &state);
	if (r == 0)
		sha256_digest(&state, DIGEST_SHA256_BYTES, ret_digest);
	return r;
}

int digest_md5_fd(int fd, uint8_t ret_digest[DIGEST_MD5_BYTES])
{
	struct md5_ctx state;
	int r;

	md5_init(&state);
	r = update_from_fd(fd, update_md5, &state);
	if (r == 0)
		md5_digest(&state, DIGEST_MD5_BYTES, ret_digest);
	return r;
}

struct digest {
	struct sha256_ctx state;
};

struct digest *digest_begin(void)
{
	struct digest *digest = malloc(sizeof *digest);

	if (digest)
		sha256_init(&digest->state);
	return digest;
}

void digest_add(struct digest *digest, const void *data, size_t length)
{
	sha256_update(&digest->state, length, data);
}

void digest_end(struct digest *digest, uint8_t ret_digest[DIGEST_SHA256_BYTES])
{
	sha256_digest(&digest->state, DIGEST_SHA256_BYTES, ret_digest);
	free(digest);
}

void digest_to_text(const uint8_t *bytes, size_t count, char *ret_text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < count; i++) {
		*ret_text++ = digits[bytes[i] >> 4];
		*ret_text++ = digits[bytes[i] & 15];
	}
	*ret_text = '\0';
}

/* 0 to 15, or -1. */
static int digit_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

bool digest_from_text(const char *text, size_t count, uint8_t *ret_bytes)
{
	for (size_t i = 0; i < count; i++) {
		int high = digit_value(text[2 * i]), low = high < 0 ? -1 : digit_value(text[2 * i + 1]);

		if (low < 0)
			return false;
		ret_bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}
