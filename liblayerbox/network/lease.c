/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lease.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "../adapters/dnsmasq.h"
#include "../util/array.h"
#include "../util/file.h"
#include "plan.h"

/* How often, a millisecond apart, a file is looked at that is being written; and how long ago it no longer is. */
enum { READ_TRIES = 1000, WRITE_MAX_S = 10 };

int lease_split(char *line, const char *words[LEASE_WORDS])
{
	char *save = NULL;
	int count = 0;

	for (char *word = strtok_r(line, " ", &save); word && count < LEASE_WORDS; word = strtok_r(NULL, " ", &save))
		words[count++] = word;
	return count;
}

/* A name is the guest's own choice: what could not be a host name is not shown to anyone. */
static void take_name(struct lease *lease, const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

	if (strspn(name, allowed) == strlen(name))
		(void)text_copy(lease->name, sizeof lease->name, name);
}

/* [T]IAID, in the place of the MAC; T is for a temporary address. */
static bool is_iaid(const char *text)
{
	const char *number = text_after(text, "T");
	uint64_t ignored;

	return text_to_number(number ? number : text, 0, UINT32_MAX, &ignored);
}

/* What dnsmasq writes beside leases of Ethernet: the server's own DUID, other hardware (HH-MAC). */
static bool is_of_another_kind(int count, const char *words[LEASE_WORDS])
{
	if (count == 0 || (count == 2 && text_equal(words[0], "duid")))
		return true;
	return count == LEASE_WORDS && words[1][0] && words[1][1] && words[1][2] == '-';
}

enum line_kind { LINE_LEASE, LINE_OTHER, LINE_BROKEN };

/* EXPIRY MAC IPV4 NAME|* CLIENT-ID, or EXPIRY [T]IAID IPV6 NAME|* DUID */
static enum line_kind parse_line(char *line, struct lease *ret_lease)
{
	struct lease lease = { 0 };
	const char *words[LEASE_WORDS];
	uint64_t expiry;
	int count = lease_split(line, words);

	if (is_of_another_kind(count, words))
		return LINE_OTHER;
	if (count < LEASE_WORDS || !text_to_number(words[0], 0, INT64_MAX, &expiry))
		return LINE_BROKEN;
	lease.expiry = (int64_t)expiry;
	if (address_is_mac(words[1]) && address_is_ipv4(words[2])) {
		text_copy(lease.identity.mac, sizeof lease.identity.mac, words[1]);
		text_copy(lease.identity.ipv4, sizeof lease.identity.ipv4, words[2]);
	} else if (!is_iaid(words[1]) || !ipv6_normalise(words[2], lease.ipv6)) {
		return LINE_BROKEN;
	}
	take_name(&lease, words[3]);
	*ret_lease = lease;
	return LINE_LEASE;
}

static int compare_leases(const void *a, const void *b)
{
	const struct lease *left = a, *right = b;
	int macs = strcmp(left->identity.mac, right->identity.mac);

	return macs ? macs : strcmp(left->ipv6, right->ipv6);
}

int lease_table_parse(char *text, struct lease_table *ret_table)
{
	struct lease_table table = { 0 };
	size_t capacity = 0, number = 0;
	char *line;

	while ((line = strsep(&text, "\n"))) {
		struct lease lease, *leases;
		enum line_kind kind = parse_line(line, &lease);

		number++;
		if (kind == LINE_BROKEN && table.broken++ == 0)
			table.first_broken = number;
		if (kind != LINE_LEASE)
			continue;
		leases = array_grow(table.leases, table.count, &capacity, sizeof *leases);
		if (!leases) {
			lease_table_free(&table);
			return -ENOMEM;
		}
		table.leases = leases;
		table.leases[table.count++] = lease;
	}
	if (table.count > 1)
		qsort(table.leases, table.count, sizeof *table.leases, compare_leases);
	*ret_table = table;
	return 0;
}

/* Has it an end? Or was it written so long ago that it is what it is? */
static bool is_finished(const char *path, const char *text, size_t length)
{
	struct stat st;

	if (length && text[length - 1] == '\n')
		return true;
	return stat(path, &st) < 0 || st.st_mtime + WRITE_MAX_S < time(NULL);
}

static int read_file(struct lb_context *ctx, const char *path, char **ret_text, size_t *ret_length)
{
	int r = file_read(AT_FDCWD, path, LEASE_BYTES_MAX, ret_text, ret_length);

	if (r != -ENOENT)
		return r < 0 ? fail_errno(ctx, r, "cannot read dnsmasq's leases, %s", path) : 0;
	*ret_length = 0;
	*ret_text = strdup("");
	return *ret_text ? 0 : fail_memory(ctx);
}

/*
 * dnsmasq makes no new file but empties the old one and fills it again, and on a busy disk the emptying alone can take
 * long. So who finds nothing, or half a line, looks whether dnsmasq is at rest.
 */
int lease_file_read(struct lb_context *ctx, const struct network_plan *plan, char **ret_text)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	CLEANUP_FREE char *text = NULL;
	size_t length = 0;
	int r = read_file(ctx, plan->lease_file, &text, &length);

	for (int i = 0; r == 0 && i < READ_TRIES && !is_finished(plan->lease_file, text, length); i++) {
		bool idle = dnsmasq_is_idle(plan->pid_file);

		free(TAKE_PTR(text));
		r = read_file(ctx, plan->lease_file, &text, &length);
		if (r == 0 && idle && dnsmasq_is_idle(plan->pid_file))
			break;
		nanosleep(&pause, NULL);
	}
	if (r < 0)
		return r;
	*ret_text = TAKE_PTR(text);
	return 0;
}

int lease_table_load_planned(struct lb_context *ctx, const struct network_plan *plan, struct lease_table *ret_table)
{
	CLEANUP_FREE char *text = NULL;
	int r = lease_file_read(ctx, plan, &text);

	if (r < 0)
		return r;
	return lease_table_parse(text, ret_table) < 0 ? fail_memory(ctx) : 0;
}

/* Adds the leases of @more, which is empty afterwards. */
static int join(struct lease_table *table, struct lease_table *more)
{
	struct lease *leases;

	if (!table->count) {
		lease_table_free(table);
		*table = *more;
		*more = (struct lease_table){ 0 };
		return 0;
	}
	if (!more->count)
		return 0;
	leases = reallocarray(table->leases, table->count + more->count, sizeof *leases);
	if (!leases)
		return -ENOMEM;
	memcpy(leases + table->count, more->leases, more->count * sizeof *leases);
	table->leases = leases;
	table->count += more->count;
	qsort(table->leases, table->count, sizeof *table->leases, compare_leases);
	lease_table_free(more);
	return 0;
}

int lease_table_load(struct lb_context *ctx, struct lease_table *ret_table)
{
	CLEANUP_TEXT_LIST struct text_list networks = { 0 };
	CLEANUP_LEASE_TABLE struct lease_table table = { 0 };
	int r = network_settings_list(ctx, &networks);

	for (size_t i = 0; r == 0 && i < networks.count; i++) {
		CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };
		CLEANUP_LEASE_TABLE struct lease_table one = { 0 };

		r = network_plan_make(ctx, networks.items[i], &plan);
		if (r == 0)
			r = lease_table_load_planned(ctx, &plan, &one);
		if (r == 0 && join(&table, &one) < 0)
			r = fail_memory(ctx);
	}
	if (r < 0)
		return r;
	*ret_table = table;
	table = (struct lease_table){ 0 };
	return 0;
}

void lease_table_free(struct lease_table *table)
{
	free(table->leases);
	*table = (struct lease_table){ 0 };
}

bool lease_is_live(const struct lease *lease, int64_t now)
{
	return lease->expiry == 0 || lease->expiry > now;
}

/* Where the leases of @key's MAC, or IPv6 address, begin, or would. */
static size_t find_first(const struct lease_table *table, const struct lease *key)
{
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_leases(table->leases + middle, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t find_mac(const struct lease_table *table, const char *mac)
{
	struct lease key = { 0 };

	text_copy(key.identity.mac, sizeof key.identity.mac, mac);
	return find_first(table, &key);
}

const struct lease *lease_table_find_ipv6(const struct lease_table *table, const char *ipv6)
{
	struct lease key = { 0 };
	size_t first;

	if (!*ipv6 || !text_copy(key.ipv6, sizeof key.ipv6, ipv6))
		return NULL;
	first = find_first(table, &key);
	if (first == table->count || !text_equal(table->leases[first].ipv6, ipv6))
		return NULL;
	return lease_is_live(table->leases + first, (int64_t)time(NULL)) ? table->leases + first : NULL;
}

const struct lease *lease_table_first(const struct lease_table *table, const char *mac)
{
	size_t first = find_mac(table, mac);

	return first < table->count && text_equal(table->leases[first].identity.mac, mac) ? table->leases + first
											  : NULL;
}

bool lease_table_has(const struct lease_table *table, const char *mac)
{
	return lease_table_first(table, mac) != NULL;
}

const char *lease_table_find(const struct lease_table *table, const char *mac)
{
	const struct lease *newest = NULL;
	int64_t now = (int64_t)time(NULL);

	for (size_t i = find_mac(table, mac); i < table->count; i++) {
		const struct lease *lease = &table->leases[i];

		if (!text_equal(lease->identity.mac, mac))
			break;
		if (!lease_is_live(lease, now))
			continue;
		if (!newest || lease->expiry == 0 || (newest->expiry && lease->expiry > newest->expiry))
			newest = lease;
	}
	return newest ? newest->identity.ipv4 : NULL;
}
