/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "doctor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "../adapters/link.h"
#include "../container/record.h"
#include "../core/lock.h"
#include "guests.h"
#include "host-names.h"
#include "network.h"
#include "reservation.h"
#include "up.h"

enum { WRITING_SECONDS = 60 };

/* A host that has no container needs no bridge: there, one that is missing is nothing to report. */
static int examine_bridge(struct network_examination *exam, size_t containers)
{
	struct lb_network_status status = { .size = sizeof status };
	char problem[sizeof status.problem];
	int r = lb_network_get_status(exam->ctx, exam->name, &status);

	if (r < 0 || !*status.problem)
		return r;
	if (status.manager == LB_NETWORK_NOBODY && !status.dnsmasq_pid && containers == 0)
		return 0;
	text_copy(problem, sizeof problem, status.problem);
	r = exam->findings->repair ? network_up_locked(exam->ctx, exam->name) : 0;
	if (r >= 0 && exam->findings->repair)
		r = lb_network_get_status(exam->ctx, exam->name, &status);
	if (r >= 0 && exam->findings->repair && *status.problem)
		found(exam->findings, false, exam->subject, status.problem, "could not be repaired");
	else
		found_and_repaired(exam->findings, r, exam->subject, problem, "put right as `layerbox net up` does",
				   "run `layerbox net up`");
	return 0;
}

/* What nftables has for the containers; where it is not there at all, examine_bridge() has seen to it. */
static int examine_firewall(struct network_examination *exam)
{
	CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };
	CLEANUP_TEXT_LIST struct text_list problems = { 0 };
	int r = network_plan_make(exam->ctx, exam->name, &plan);

	if (r < 0 || !plan.link.index || plan.manager == LB_NETWORK_FOREIGN)
		return r;
	r = guests_check(exam->ctx, &plan, &problems);
	if (r < 0 || !problems.count)
		return r;
	r = exam->findings->repair ? guests_apply(exam->ctx, &plan) : 0;
	for (size_t i = 0; i < problems.count; i++)
		found_and_repaired(exam->findings, r, exam->subject, problems.items[i], "made the rules anew",
				   "`layerbox net up` makes the rules anew");
	return 0;
}

/*
 * A start, a change or a deletion of it may be on its way, since these need the container's lock only: so look again
 * with that one. Whoever has it sees to the reservation.
 */
static void examine_reservation(struct network_examination *exam, const struct network_plan *plan, int hosts_fd,
				const struct record_identity *listed)
{
	struct lb_context *ctx = exam->ctx;
	char subject[NAME_LENGTH_MAX + 16];
	struct record record = { 0 };
	CLEANUP_FD int lock = -1;
	int r;

	if (reservation_is(ctx, plan, hosts_fd, listed->name, &listed->identity))
		return;
	lock = lock_container_at_once(ctx, listed->name);
	if (lock == -LB_ERR_BUSY || lock == -LB_ERR_NO_CONTAINER)
		return;
	r = lock < 0 ? lock : record_read(ctx, lock, listed->name, &record);
	if (r < 0 || !reservation_is(ctx, plan, hosts_fd, listed->name, &record.identity)) {
		if (r == 0 && exam->findings->repair)
			r = reservation_write(ctx, listed->name, &record.identity);
		snprintf(subject, sizeof subject, "container %s", listed->name);
		found_and_repaired(exam->findings, r, subject,
				   "its address is not reserved with dnsmasq as its record says",
				   "wrote the reservation anew", "`layerbox doctor` writes the reservation anew");
	}
	record_free(&record);
}

static int compare_names(const void *key, const void *record)
{
	return strcmp(key, ((const struct record_identity *)record)->name);
}

static int compare_records(const void *a, const void *b)
{
	return strcmp(((const struct record_identity *)a)->name, ((const struct record_identity *)b)->name);
}

/* A name with a dot in front may be that of a file that a start is writing just now. */
static bool is_being_written(int hosts_fd, const char *name)
{
	struct stat st;
	int64_t age;

	if (*name != '.' || fstatat(hosts_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	age = (int64_t)time(NULL) - st.st_mtime;
	return age >= 0 && age < WRITING_SECONDS;
}

/* Files with a dot in front are a killed command's; other names were reserved for containers that are gone. */
static void examine_file(struct network_examination *exam, int hosts_fd, const char *name,
			 const struct record_identity *records, size_t count)
{
	char problem[512];
	int r = 0;

	if ((count && bsearch(name, records, count, sizeof *records, compare_names)) ||
	    is_being_written(hosts_fd, name))
		return;
	if (name_is_valid(name)) {
		snprintf(problem, sizeof problem, "an address is reserved for '%s', but there is no such container",
			 name);
		r = exam->findings->repair ? reservation_remove(exam->ctx, exam->name, name) : 0;
	} else {
		snprintf(problem, sizeof problem, "the file '%s' among the reservations is none", name);
		text_printable(problem);
		if (exam->findings->repair && unlinkat(hosts_fd, name, 0) < 0)
			r = fail_errno(exam->ctx, errno, "cannot remove it");
	}
	found_and_repaired(exam->findings, r, exam->subject, problem, "removed it", "`layerbox doctor` removes it");
}

static int examine_reservations(struct network_examination *exam, const struct record_identity *records, size_t count)
{
	CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FD int hosts_fd = -1;
	int r = network_plan_make(exam->ctx, exam->name, &plan);

	if (r < 0)
		return r;
	if (exam->findings->repair || access(plan.hosts_directory, F_OK) == 0) {
		hosts_fd = network_plan_open_hosts(exam->ctx, &plan);
		r = hosts_fd < 0 ? hosts_fd : reservation_list(exam->ctx, hosts_fd, &names);
	}
	if (r < 0)
		return r;
	text_list_sort(&names);
	/* What is too much first: its addresses may be those that are reserved next. */
	for (size_t i = 0; i < names.count; i++)
		examine_file(exam, hosts_fd, names.items[i], records, count);
	for (size_t i = 0; i < count; i++)
		examine_reservation(exam, &plan, hosts_fd, records + i);
	return 0;
}

/* @is: 1 as it should be, 0 not, or why that cannot be known. */
static void examine_names(struct network_examination *exam, int is, const char *problem,
			  int (*repair)(struct network_examination *exam))
{
	if (is > 0)
		return;
	if (is < 0)
		found(exam->findings, false, "host", problem, lb_context_error(exam->ctx));
	else
		found_and_repaired(exam->findings, exam->findings->repair ? repair(exam) : 0, "host", problem,
				   "put right", "run `layerbox doctor` without --dry-run");
}

static int repair_file(struct network_examination *exam)
{
	return host_names_sync(exam->ctx);
}

static int repair_bridge(struct network_examination *exam)
{
	char gateway[IPV4_TEXT_SIZE];
	int r = address_gateway(exam->ctx, exam->name, gateway);

	return r < 0 ? r : host_names_sync_bridge(exam->ctx, exam->name, gateway);
}

/* Behind the bridge: systemd-resolved knows a bridge only while it is there. */
static void examine_bridge_names(struct network_examination *exam)
{
	char gateway[IPV4_TEXT_SIZE];
	int r;

	if (link_is_up(exam->name) != 1)
		return;
	r = address_gateway(exam->ctx, exam->name, gateway);
	if (r == 0)
		r = host_names_check_bridge(exam->ctx, exam->name, gateway);
	examine_names(exam, r, "systemd-resolved does not know the names of containers", repair_bridge);
}

/* @records NULL: they could not all be read. */
static int examine_network(struct network_examination *exam, const struct record_identity *records, size_t count)
{
	CLEANUP_FREE struct record_identity *own = calloc(count + 1, sizeof *own);
	size_t n;
	int r = 0;

	if (!own)
		return fail_memory(exam->ctx);
	snprintf(exam->subject, sizeof exam->subject, "network %s", exam->name);
	n = records ? record_identities_on(exam->ctx, exam->name, records, count, own) : 1;
	if (records)
		r = examine_reservations(exam, own, n);
	if (r >= 0)
		r = examine_bridge(exam, n);
	if (r >= 0)
		r = examine_firewall(exam);
	/* Behind the bridge: without a DHCP server no lease can be given back. */
	if (r >= 0 && records)
		r = examine_leases(exam, own, n);
	if (r >= 0)
		examine_bridge_names(exam);
	return r;
}

int network_doctor(struct findings *findings)
{
	struct lb_context *ctx = findings->ctx;
	struct network_examination exam = { .ctx = ctx, .findings = findings };
	CLEANUP_FREE struct record_identity *records = NULL;
	CLEANUP_TEXT_LIST struct text_list networks = { 0 };
	CLEANUP_FD int lock = lock_root(ctx);
	size_t count = 0;
	int r;

	if (lock < 0)
		return lock;
	/* Without all records nobody knows which reservations are too many; the bridges can be examined. */
	r = record_list_identities(ctx, true, &records, &count);
	if (r < 0)
		found(findings, false, "network", "the reservations cannot be compared with the containers' records",
		      lb_context_error(ctx));
	else if (count > 1)
		qsort(records, count, sizeof *records, compare_records);
	if (r == 0 && !records)
		records = calloc(1, sizeof *records);
	r = network_settings_list(ctx, &networks);
	for (size_t i = 0; r >= 0 && i < networks.count; i++) {
		exam.name = networks.items[i];
		r = examine_network(&exam, records, count);
	}
	if (r >= 0)
		examine_names(&exam, host_names_check(ctx),
			      "the names of containers in /etc/hosts are not as host_names in layerbox.conf and the "
			      "records say",
			      repair_file);
	return r < 0 ? r : 0;
}
