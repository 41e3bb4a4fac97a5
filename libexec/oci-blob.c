/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "adapters/digest.h"
#include "oci-layout.h"
#include "util/file.h"

#define HIDDEN_PREFIX ".layerbox-"

/* ---- digests ---- */

bool oci_digest_is_valid(const char *text)
{
	uint8_t bytes[DIGEST_SHA256_BYTES];
	const char *digits = text_after(text, "sha256:");

	return digits && strlen(digits) == 2 * sizeof bytes && digest_from_text(digits, sizeof bytes, bytes);
}

void oci_digest_format(const uint8_t *bytes, char ret_text[OCI_DIGEST_SIZE])
{
	strcpy(ret_text, "sha256:");
	digest_to_text(bytes, DIGEST_SHA256_BYTES, ret_text + strlen(ret_text));
}

/* The name of the file that has a blob. */
static const char *name_of(const char *digest)
{
	return digest + strlen("sha256:");
}

/* ---- writing ---- */

static int fail_write(const struct oci_layout *layout, int code)
{
	return oci_fail_errno(layout->error, code, "cannot write to %s", layout->path);
}

int oci_blob_begin(const struct oci_layout *layout, struct oci_blob *ret_blob)
{
	struct oci_blob blob = { .layout = layout, .fd = -1 };
	uint64_t random;

	getentropy(&random, sizeof random);
	snprintf(blob.name, sizeof blob.name, HIDDEN_PREFIX "%016llx", (unsigned long long)random);
	blob.digest = digest_begin();
	if (!blob.digest)
		return oci_fail_memory(layout->error);
	blob.fd = openat(layout->fd, blob.name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (blob.fd < 0) {
		free(blob.digest);
		return fail_write(layout, -errno);
	}
	*ret_blob = blob;
	return 0;
}

int oci_blob_add(struct oci_blob *blob, const void *data, size_t length)
{
	digest_add(blob->digest, data, length);
	blob->size += length;
	return fd_write_all(blob->fd, data, length);
}

int oci_blob_finish(struct oci_blob *blob, struct oci_descriptor *ret_descriptor)
{
	const struct oci_layout *layout = blob->layout;
	struct oci_descriptor descriptor = { .size = blob->size };
	uint8_t bytes[DIGEST_SHA256_BYTES];

	digest_end(TAKE_PTR(blob->digest), bytes);
	oci_digest_format(bytes, descriptor.digest);
	if (fsync(blob->fd) < 0 ||
	    renameat(layout->fd, blob->name, layout->blobs_fd, name_of(descriptor.digest)) < 0)
		return fail_write(layout, -errno);
	close_fd(take_fd(&blob->fd));
	*ret_descriptor = descriptor;
	return 0;
}

void oci_blob_end(struct oci_blob *blob)
{
	if (blob->fd >= 0)
		unlinkat(blob->layout->fd, blob->name, 0);
	close_fd(take_fd(&blob->fd));
	free(TAKE_PTR(blob->digest));
}

int oci_blob_write(const struct oci_layout *layout, const char *text, struct oci_descriptor *ret_descriptor)
{
	CLEANUP_OCI_BLOB struct oci_blob blob = OCI_BLOB_EMPTY;
	int r = oci_blob_begin(layout, &blob);

	if (r < 0)
		return r;
	r = oci_blob_add(&blob, text, strlen(text));
	return r < 0 ? fail_write(layout, r) : oci_blob_finish(&blob, ret_descriptor);
}

/* ---- reading ---- */

int oci_blob_open(const struct oci_layout *layout, const struct oci_descriptor *descriptor)
{
	CLEANUP_FD int fd = openat(layout->blobs_fd, name_of(descriptor->digest),
				   O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return oci_fail(layout->error, -ENOENT, "the blob %s is missing in %s", descriptor->digest,
				layout->path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return oci_fail_errno(layout->error, -errno, "cannot open the blob %s in %s", descriptor->digest,
				      layout->path);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != descriptor->size)
		return oci_fail(layout->error, OCI_BAD_IMAGE,
				"the blob %s in %s is damaged: it has %lld bytes, not %llu", descriptor->digest,
				layout->path, (long long)st.st_size, (unsigned long long)descriptor->size);
	return take_fd(&fd);
}

static int check(const struct oci_layout *layout, const char *expected, const uint8_t *bytes)
{
	char found[OCI_DIGEST_SIZE];

	oci_digest_format(bytes, found);
	if (text_equal(found, expected))
		return 0;
	return oci_fail(layout->error, OCI_BAD_IMAGE, "the blob %s in %s is damaged: its digest is %s", expected,
			layout->path, found);
}

int oci_blob_read(const struct oci_layout *layout, const struct oci_descriptor *descriptor, char **ret_text)
{
	CLEANUP_FD int fd = oci_blob_open(layout, descriptor);
	uint8_t bytes[DIGEST_SHA256_BYTES];
	CLEANUP_FREE char *text = NULL;
	size_t length;
	int r;

	if (fd < 0)
		return fd;
	r = fd_read_all(fd, OCI_TEXT_MAX, &text, &length);
	if (r == -EFBIG)
		return oci_fail(layout->error, OCI_BAD_IMAGE, "the blob %s in %s is too large for what it shall be",
				descriptor->digest, layout->path);
	if (r < 0)
		return oci_fail_errno(layout->error, r, "cannot read the blob %s in %s", descriptor->digest,
				      layout->path);
	digest_sha256(text, length, bytes);
	r = check(layout, descriptor->digest, bytes);
	if (r == 0)
		*ret_text = TAKE_PTR(text);
	return r;
}

bool oci_blob_is_good(const struct oci_layout *layout, const struct oci_descriptor *descriptor)
{
	CLEANUP_FD int fd = oci_blob_open(layout, descriptor);
	uint8_t bytes[DIGEST_SHA256_BYTES];

	return fd >= 0 && digest_sha256_fd(fd, bytes) == 0 && check(layout, descriptor->digest, bytes) == 0;
}
