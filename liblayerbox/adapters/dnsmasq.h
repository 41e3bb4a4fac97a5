/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A dnsmasq process that gives out addresses and names on one bridge: starting it, finding it by its pid
 * file, talking to it with signals. A process counts as the one of a pid file only if it is a dnsmasq that
 * was started with that file, so a stale file never hits a stranger.
 */
#pragma once

#include "../core/context.h"

struct dnsmasq_settings {
	const char *bridge;
	bool no_dhcp;                 /* names only: nothing of addresses below is used */
	const char *range_first, *range_last, *netmask;
	unsigned lease_max;           /* addresses of IPv4; where there is IPv6, as many again */
	const char *ipv6;             /* the network's /64 without its length: "fd42:1:2:3::"; NULL: none */
	unsigned mtu;                 /* what guests are told, 0: nothing */
	const char *hosts_directory;  /* a file for each reservation */
	const char *names_directory;  /* a file for each fixed address, as in /etc/hosts; NULL: none */
	const char *domain;
	const char *lease_file, *pid_file;
};

/* Is dnsmasq installed? -LB_ERR_NO_PROGRAM with what to install. */
int dnsmasq_require(struct lb_context *ctx);

/* Does nobody else answer DNS at @address? Asked before anything is made. -LB_ERR_NETWORK with what to do. */
int dnsmasq_check_port(struct lb_context *ctx, const char *address);

/* The user that dnsmasq becomes after its start. */
const char *dnsmasq_user(void);

/* Can that user read @directory? -LB_ERR_NETWORK with the directory that bars its way. */
int dnsmasq_check_readable(struct lb_context *ctx, const char *directory);

/* Starts it; when this returns 0, it serves. It lives on when the caller ends. */
int dnsmasq_start(struct lb_context *ctx, const struct dnsmasq_settings *settings);

/* Was that process started with just these? */
bool dnsmasq_has_settings(pid_t pid, const struct dnsmasq_settings *settings);
bool dnsmasq_has_arguments(pid_t pid, const struct text_list *arguments);

/* The same with an argument vector of the caller's that names @pid_file. */
int dnsmasq_start_with(struct lb_context *ctx, const struct text_list *arguments, const char *pid_file);

/* dnsmasq --test: are these arguments, and the files they name, without a mistake? */
int dnsmasq_test(struct lb_context *ctx, const struct text_list *arguments);

/* Its process, or 0. */
pid_t dnsmasq_find(const char *pid_file);

/* Has it read reservations in @directory, and does it watch it? Asked from the kernel: inotify(7). */
bool dnsmasq_watches(pid_t pid, const char *directory);

/* The same of one that was just started: it begins to watch a moment after it has said that it runs. */
bool dnsmasq_comes_to_watch(const char *pid_file, const char *directory);

/* Does it sleep, as it does until a request comes? Then it writes no file. True also where none runs. */
bool dnsmasq_is_idle(const char *pid_file);

/* Has it forget what was read from files that are gone (SIGHUP). 1 where none runs. */
int dnsmasq_reload(struct lb_context *ctx, const char *pid_file);

/* Ends it and waits for its end. 1 where none runs. */
int dnsmasq_stop(struct lb_context *ctx, const char *pid_file);

/*
 * Replaces the process by one with the same arguments and pid file, but configuration file @conf_file, in the
 * same cgroup. Where that one cannot start, the old arguments are used again.
 */
int dnsmasq_restart(struct lb_context *ctx, const char *pid_file, const char *conf_file);

/* The value of `NAME=` among its arguments (@name: "--dhcp-hostsdir"); the caller's, NULL where it has none. */
char *dnsmasq_argument(pid_t pid, const char *name);

enum { CLIENT_ID_TEXT_SIZE = 255 * 3 }; /* 255 bytes as dnsmasq writes them: 01:52:54:... */

/*
 * Gives the lease of @mac on @address back in the name of a client that is gone for good, by a DHCPRELEASE
 * from the host to itself. @client_id is the one the lease has in dnsmasq's file, by which dnsmasq knows it; "" or
 * "*" where it has none. As lost packets go, without a result: an address that stays leased expires.
 */
void dnsmasq_release(const char *bridge, const char *server, const char *mac, const char *address,
		     const char *client_id);
