#!/usr/bin/perl
# A milter that has Mail::DKIM judge a message's signatures and writes down what it says (RFC 8601):
# receivers and filters stand on it. Debian's, up to 12 at least, knows no ed25519.
# mail-dkim-milter.pl PORT AUTHSERV-ID
use strict;
use warnings;
use Mail::DKIM;
use Mail::DKIM::Signature;
use Mail::DKIM::Verifier;
use Sendmail::PMilter qw(:all);

my ($port, $authserv) = @ARGV;
die "Mail::DKIM $Mail::DKIM::VERSION knows ed25519, and is to be here as one that does not\n"
    if Mail::DKIM::Signature->new->get_algorithm_class('ed25519-sha256');

# "Not able to be processed" is neutral (RFC 8601 section 2.7.1).
my %RESULTS = (pass => 'pass', fail => 'fail', invalid => 'neutral', temperror => 'temperror');

# A connection has a process of its own, and one message at a time.
my $verifier;

sub results {
    return 'dkim=none' unless $verifier->signatures;
    return map {
        my $result = $RESULTS{$_->result} // 'neutral';
        my $why = $_->result_detail =~ /(\(.+\))$/ ? " $1" : '';
        "dkim=$result$why header.d=" . $_->domain . ' header.s=' . $_->selector . ' header.a=' . $_->algorithm;
    } $verifier->signatures;
}

my $milter = Sendmail::PMilter->new;
$milter->setconn("inet:$port\@127.0.0.1");
$milter->register(
    'mail-dkim',
    {
        envfrom => sub { $verifier = Mail::DKIM::Verifier->new; SMFIS_CONTINUE },
        header  => sub {
            my (undef, $name, $value) = @_;
            $value =~ s/\r?\n/\r\n/g;
            $verifier->PRINT("$name: $value\r\n");
            SMFIS_CONTINUE;
        },
        eoh  => sub { $verifier->PRINT("\r\n"); SMFIS_CONTINUE },
        body => sub { $verifier->PRINT($_[1]); SMFIS_CONTINUE },
        eom  => sub {
            $verifier->CLOSE;
            $_[0]->addheader('Authentication-Results', join(";\n\t", $authserv, results()));
            SMFIS_CONTINUE;
        },
    },
    SMFIF_ADDHDRS,
);
$milter->main;
