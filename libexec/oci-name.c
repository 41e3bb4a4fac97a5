/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oci-name.h"

#include "util/text.h"

static bool is_whiteout(struct slice part)
{
	return part.length >= strlen(OCI_WHITEOUT_PREFIX) &&
	       memcmp(part.data, OCI_WHITEOUT_PREFIX, strlen(OCI_WHITEOUT_PREFIX)) == 0;
}

/* Puts the components together again; only the last one may be a whiteout. */
static const char *normalise(const char *name, char **ret_path)
{
	struct slice rest = slice_of(name), part;
	char *path = malloc(strlen(name) + 1), *end = path;

	*ret_path = path;
	if (!path)
		return "is too much for the memory there is";
	*end = '\0';
	if (*name == '/')
		return "is absolute, and would leave the tree";
	while (slice_cut(&rest, '/', &part)) {
		const char *last = strrchr(path, '/');

		if (part.length == 0 || slice_is(part, "."))
			continue;
		if (slice_is(part, ".."))
			return "would leave the tree";
		if (*path && is_whiteout(slice_of(last ? last + 1 : path)))
			return "lies below a whiteout";
		if (*path)
			*end++ = '/';
		memcpy(end, part.data, part.length);
		end += part.length;
		*end = '\0';
	}
	return NULL;
}

const char *oci_name_read(const char *name, struct oci_name *ret_name)
{
	const char *why, *last;
	char *slash;

	*ret_name = (struct oci_name){ .kind = OCI_NAME_ENTRY };
	why = normalise(name, &ret_name->path);
	if (why)
		return why;
	slash = strrchr(ret_name->path, '/');
	last = slash ? slash + 1 : ret_name->path;
	ret_name->rest = text_after(last, OCI_WHITEOUT_PREFIX);
	if (!ret_name->rest)
		return NULL;
	ret_name->directory = strndup(ret_name->path, slash ? (size_t)(slash - ret_name->path) : 0);
	if (!ret_name->directory)
		return "is too much for the memory there is";
	ret_name->kind = text_equal(last, OCI_OPAQUE) ? OCI_NAME_OPAQUE : OCI_NAME_WHITEOUT;
	if (ret_name->kind == OCI_NAME_OPAQUE)
		return NULL;
	if (!*ret_name->rest || text_equal(ret_name->rest, ".") || text_equal(ret_name->rest, "..") ||
	    text_after(ret_name->rest, OCI_WHITEOUT_PREFIX))
		return "is a whiteout of something that cannot be deleted";
	return NULL;
}

void oci_name_free(struct oci_name *name)
{
	free(TAKE_PTR(name->path));
	free(TAKE_PTR(name->directory));
}
