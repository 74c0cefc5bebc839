<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de_DE" sourcelanguage="en_US">
<context>
    <name>Bridge</name>
    <message>
        <source>The server does not accept this key</source>
        <translation>Der Server nimmt diesen Schlüssel nicht an</translation>
    </message>
    <message>
        <source>The server answered with status %1</source>
        <translation>Der Server antwortete mit dem Status %1</translation>
    </message>
    <message>
        <source>The server does not answer: %1</source>
        <translation>Der Server antwortet nicht: %1</translation>
    </message>
    <message>
        <source>The connection ended: %1</source>
        <translation>Die Verbindung endete: %1</translation>
    </message>
</context>
<context>
    <name>ErrorKind</name>
    <message>
        <source>Something that was entered or sent is not valid.</source>
        <translation>Etwas Eingegebenes oder Gesendetes ist ungültig.</translation>
    </message>
    <message>
        <source>It is not there.</source>
        <translation>Es ist nicht vorhanden.</translation>
    </message>
    <message>
        <source>There is one of that name already.</source>
        <translation>Es gibt schon etwas mit diesem Namen.</translation>
    </message>
    <message>
        <source>This is known and not supported.</source>
        <translation>Das ist bekannt und wird nicht unterstützt.</translation>
    </message>
    <message>
        <source>It is larger than allowed.</source>
        <translation>Es ist größer als erlaubt.</translation>
    </message>
    <message>
        <source>Reading or writing failed.</source>
        <translation>Lesen oder Schreiben ist fehlgeschlagen.</translation>
    </message>
    <message>
        <source>The disk is full.</source>
        <translation>Der Datenträger ist voll.</translation>
    </message>
    <message>
        <source>A file is damaged.</source>
        <translation>Eine Datei ist beschädigt.</translation>
    </message>
    <message>
        <source>A tensor has another shape than its model needs.</source>
        <translation>Ein Tensor hat eine andere Form, als sein Modell braucht.</translation>
    </message>
    <message>
        <source>A tensor is missing.</source>
        <translation>Ein Tensor fehlt.</translation>
    </message>
    <message>
        <source>The weights hold NaN or infinity.</source>
        <translation>Die Gewichte enthalten NaN oder Unendlich.</translation>
    </message>
    <message>
        <source>The engine is busy.</source>
        <translation>Die Engine ist beschäftigt.</translation>
    </message>
    <message>
        <source>The device memory does not suffice.</source>
        <translation>Der Gerätespeicher reicht nicht aus.</translation>
    </message>
    <message>
        <source>The text is longer than the context of the model.</source>
        <translation>Der Text ist länger als der Kontext des Modells.</translation>
    </message>
    <message>
        <source>The server takes no new requests.</source>
        <translation>Der Server nimmt keine neuen Anfragen an.</translation>
    </message>
    <message>
        <source>It was cancelled.</source>
        <translation>Es wurde abgebrochen.</translation>
    </message>
    <message>
        <source>Another program has the workspace open.</source>
        <translation>Ein anderes Programm hat den Arbeitsbereich geöffnet.</translation>
    </message>
    <message>
        <source>The key is not accepted.</source>
        <translation>Der Schlüssel wird nicht angenommen.</translation>
    </message>
    <message>
        <source>The device reported an error.</source>
        <translation>Das Gerät meldete einen Fehler.</translation>
    </message>
    <message>
        <source>The records of the workspace could not be used.</source>
        <translation>Die Aufzeichnungen des Arbeitsbereichs waren nicht benutzbar.</translation>
    </message>
    <message>
        <source>An error in the program.</source>
        <translation>Ein Fehler im Programm.</translation>
    </message>
</context>
<context>
    <name>JobKind</name>
    <message>
        <source>Import</source>
        <translation>Import</translation>
    </message>
    <message>
        <source>Scan</source>
        <translation>NaN-Prüfung</translation>
    </message>
    <message>
        <source>Verification</source>
        <translation>Digest-Prüfung</translation>
    </message>
    <message>
        <source>Import %1</source>
        <translation>Import von %1</translation>
    </message>
    <message>
        <source>Scan %1</source>
        <translation>NaN-Prüfung von %1</translation>
    </message>
    <message>
        <source>Verify %1</source>
        <translation>Digest-Prüfung von %1</translation>
    </message>
    <message>
        <source>Adapters</source>
        <translation>Adapter</translation>
    </message>
    <message>
        <source>Import adapters for %1</source>
        <translation>Adapter für %1 importieren</translation>
    </message>
</context>
<context>
    <name>JobState</name>
    <message>
        <source>Queued</source>
        <translation>In der Warteschlange</translation>
    </message>
    <message>
        <source>Running</source>
        <translation>Läuft</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>Angehalten</translation>
    </message>
    <message>
        <source>Interrupted</source>
        <translation>Unterbrochen</translation>
    </message>
    <message>
        <source>Finished</source>
        <translation>Fertig</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>Fehlgeschlagen</translation>
    </message>
    <message>
        <source>Cancelled</source>
        <translation>Abgebrochen</translation>
    </message>
</context>
<context>
    <name>MemoryOwner</name>
    <message>
        <source>Weights</source>
        <translation>Gewichte</translation>
    </message>
    <message>
        <source>Training</source>
        <translation>Training</translation>
    </message>
    <message>
        <source>KV</source>
        <translation>KV</translation>
    </message>
    <message>
        <source>KV, running</source>
        <translation>KV, laufend</translation>
    </message>
    <message>
        <source>KV cached</source>
        <translation>KV im Cache</translation>
    </message>
    <message>
        <source>KV, cached prefixes</source>
        <translation>KV, Präfixe im Cache</translation>
    </message>
    <message>
        <source>Adapters</source>
        <translation>Adapter</translation>
    </message>
    <message>
        <source>Rows</source>
        <translation>Zeilen</translation>
    </message>
    <message>
        <source>Domain rows</source>
        <translation>Domänenzeilen</translation>
    </message>
    <message>
        <source>Work</source>
        <translation>Arbeit</translation>
    </message>
    <message>
        <source>Workspace</source>
        <translation>Arbeitsbereich</translation>
    </message>
    <message>
        <source>Free</source>
        <translation>Frei</translation>
    </message>
</context>
<context>
    <name>QDockWidget</name>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
</context>
<context>
    <name>ServeState</name>
    <message>
        <source>Serving</source>
        <translation>In Betrieb</translation>
    </message>
    <message>
        <source>Draining</source>
        <translation>Läuft aus</translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation>Gestoppt</translation>
    </message>
</context>
<context>
    <name>espalier::ui::AboutPage</name>
    <message>
        <source>this program</source>
        <translation>dieses Programm</translation>
    </message>
    <message>
        <source>the typeface, as Espalier Sans</source>
        <translation>die Schrift, als Espalier Sans</translation>
    </message>
    <message>
        <source>the icons</source>
        <translation>die Symbole</translation>
    </message>
    <message>
        <source>windows, network, drawing</source>
        <translation>Fenster, Netz, Zeichnen</translation>
    </message>
    <message>
        <source>plots</source>
        <translation>Diagramme</translation>
    </message>
    <message>
        <source>the server&apos;s connections</source>
        <translation>die Verbindungen des Servers</translation>
    </message>
    <message>
        <source>the workspace&apos;s records</source>
        <translation>die Aufzeichnungen des Arbeitsbereichs</translation>
    </message>
    <message>
        <source>patterns of tokenizers</source>
        <translation>Muster der Tokenizer</translation>
    </message>
    <message>
        <source>Unicode normalisation</source>
        <translation>Unicode-Normalisierung</translation>
    </message>
    <message>
        <source>JSON</source>
        <translation>JSON</translation>
    </message>
    <message>
        <source>keys and digests</source>
        <translation>Schlüssel und Prüfsummen</translation>
    </message>
    <message>
        <source>encrypted connections</source>
        <translation>verschlüsselte Verbindungen</translation>
    </message>
    <message>
        <source>the log</source>
        <translation>das Protokoll</translation>
    </message>
    <message>
        <source>the command line</source>
        <translation>die Befehlszeile</translation>
    </message>
    <message>
        <source>About Espalier</source>
        <translation>Über Espalier</translation>
    </message>
    <message>
        <source>Copy diagnostics</source>
        <translation>Diagnose kopieren</translation>
    </message>
    <message>
        <source>Version %1, Qt %2. Free software under GPL-3.0-or-later, without any warranty.</source>
        <translation>Version %1, Qt %2. Freie Software unter GPL-3.0-or-later, ohne jede Gewährleistung.</translation>
    </message>
    <message>
        <source>Made of</source>
        <translation>Bestandteile</translation>
    </message>
    <message>
        <source>Part</source>
        <translation>Teil</translation>
    </message>
    <message>
        <source>Used for</source>
        <translation>Wofür</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>Lizenz</translation>
    </message>
    <message>
        <source>Text of the licence</source>
        <translation>Text der Lizenz</translation>
    </message>
    <message>
        <source>A library of the system. Its licence is in the documentation of its package, on Debian in /usr/share/doc.</source>
        <translation>Eine Bibliothek des Systems. Ihre Lizenz steht in der Dokumentation ihres Pakets, unter Debian in /usr/share/doc.</translation>
    </message>
</context>
<context>
    <name>espalier::ui::AdapterTable</name>
    <message>
        <source>Adapter</source>
        <translation>Adapter</translation>
    </message>
    <message>
        <source>Rank</source>
        <translation>Rang</translation>
    </message>
    <message>
        <source>Targets</source>
        <translation>Ziele</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>Version</source>
        <translation>Version</translation>
    </message>
    <message>
        <source>Tenant</source>
        <translation>Mandant</translation>
    </message>
    <message>
        <source>No other tenant sees it</source>
        <translation>Kein anderer Mandant sieht ihn</translation>
    </message>
    <message>
        <source>Version %1, imported %2 from %3
%4</source>
        <translation>Version %1, importiert am %2 aus %3
%4</translation>
    </message>
</context>
<context>
    <name>espalier::ui::AdaptersPanel</name>
    <message>
        <source>Adapters</source>
        <translation>Adapter</translation>
    </message>
    <message>
        <source>Import adapter…</source>
        <translation>Adapter importieren …</translation>
    </message>
    <message>
        <source>Import the first adapter</source>
        <translation>Den ersten Adapter importieren</translation>
    </message>
    <message>
        <source>Import…</source>
        <translation>Importieren …</translation>
    </message>
    <message>
        <source>Import an adapter</source>
        <translation>Einen Adapter importieren</translation>
    </message>
    <message>
        <source>Reload</source>
        <translation>Neu laden</translation>
    </message>
    <message>
        <source>Reload the adapter</source>
        <translation>Den Adapter neu laden</translation>
    </message>
    <message>
        <source>Read its files again; what runs finishes on the old version</source>
        <translation>Seine Dateien neu lesen; was läuft, endet mit der alten Version</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>Remove the adapter</source>
        <translation>Den Adapter entfernen</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>Bring the adapter back</source>
        <translation>Den Adapter zurückholen</translation>
    </message>
    <message>
        <source>Reading and checking…</source>
        <translation>Wird gelesen und geprüft …</translation>
    </message>
    <message>
        <source>The adapter was not imported</source>
        <translation>Der Adapter wurde nicht importiert</translation>
    </message>
    <message>
        <source>The adapter was not reloaded</source>
        <translation>Der Adapter wurde nicht neu geladen</translation>
    </message>
    <message>
        <source>The adapter was not removed</source>
        <translation>Der Adapter wurde nicht entfernt</translation>
    </message>
    <message>
        <source>%1 was removed</source>
        <translation>%1 wurde entfernt</translation>
    </message>
    <message>
        <source>The adapter was not brought back</source>
        <translation>Der Adapter wurde nicht zurückgeholt</translation>
    </message>
    <message>
        <source>Import an adapter folder of PEFT or AdapterHub</source>
        <translation>Einen Adapterordner von PEFT oder AdapterHub importieren</translation>
    </message>
    <message>
        <source>No adapters of this model yet. Drop adapter folders (PEFT or AdapterHub) here, or import one.</source>
        <translation>Noch keine Adapter dieses Modells. Adapterordner (PEFT oder AdapterHub) hier ablegen oder einen importieren.</translation>
    </message>
    <message>
        <source>The adapters were not imported</source>
        <translation>Die Adapter wurden nicht importiert</translation>
    </message>
    <message>
        <source>%1 of %2 adapters were not imported</source>
        <translation>%1 von %2 Adaptern wurden nicht importiert</translation>
    </message>
</context>
<context>
    <name>espalier::ui::AddressDialog</name>
    <message>
        <source>This machine</source>
        <translation>Diesem Rechner</translation>
    </message>
    <message>
        <source>This network</source>
        <translation>Diesem Netz</translation>
    </message>
    <message>
        <source>Reached from</source>
        <translation>Erreichbar von</translation>
    </message>
    <message>
        <source>Restart the engine</source>
        <translation>Engine neu starten</translation>
    </message>
    <message>
        <source>Port and exposure</source>
        <translation>Port und Erreichbarkeit</translation>
    </message>
    <message>
        <source>usual</source>
        <translation>üblicher</translation>
    </message>
    <message>
        <source>Port</source>
        <translation>Port</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Everybody who reaches this machine over the network and has the key can use the server. The connection is not encrypted.</source>
        <translation>Alle, die diesen Rechner über das Netz erreichen und den Schlüssel haben, können den Server benutzen. Die Verbindung ist nicht verschlüsselt.</translation>
    </message>
    <message>
        <source>Only programs on this machine reach the server.</source>
        <translation>Nur Programme auf diesem Rechner erreichen den Server.</translation>
    </message>
    <message>
        <source>The engine starts anew: answers that run are ended first; a job that runs is interrupted and can be resumed.</source>
        <translation>Die Engine startet neu: Laufende Antworten werden zuerst beendet; ein laufender Auftrag wird unterbrochen und kann fortgesetzt werden.</translation>
    </message>
    <message>
        <source>The engine was not restarted</source>
        <translation>Die Engine wurde nicht neu gestartet</translation>
    </message>
</context>
<context>
    <name>espalier::ui::AnswerView</name>
    <message>
        <source>Conversation</source>
        <translation>Gespräch</translation>
    </message>
    <message>
        <source>You</source>
        <translation>Sie</translation>
    </message>
    <message>
        <source>Edit</source>
        <translation>Bearbeiten</translation>
    </message>
    <message>
        <source>code</source>
        <translation>Code</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
</context>
<context>
    <name>espalier::ui::CasePanel</name>
    <message>
        <source>Cases</source>
        <translation>Fälle</translation>
    </message>
    <message>
        <source>Saved cases</source>
        <translation>Gesicherte Fälle</translation>
    </message>
    <message>
        <source>Run</source>
        <translation>Start</translation>
    </message>
    <message>
        <source>Run all</source>
        <translation>Alle</translation>
    </message>
    <message>
        <source>Bring back</source>
        <translation>Zurückholen</translation>
    </message>
    <message>
        <source>Remove the case</source>
        <translation>Fall entfernen</translation>
    </message>
    <message>
        <source>Name of the case</source>
        <translation>Name des Falls</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>Text an answer must contain</source>
        <translation>Text, den eine Antwort enthalten muss</translation>
    </message>
    <message>
        <source>An answer must contain…</source>
        <translation>Eine Antwort muss enthalten…</translation>
    </message>
    <message>
        <source>Save a prompt as a case to ask it again later.</source>
        <translation>Sichern Sie einen Prompt als Fall, um ihn später wieder zu stellen.</translation>
    </message>
    <message>
        <source>The saved cases were not read</source>
        <translation>Die gesicherten Fälle wurden nicht gelesen</translation>
    </message>
    <message>
        <source>The case was not saved</source>
        <translation>Der Fall wurde nicht gesichert</translation>
    </message>
    <message>
        <source>The case was not removed</source>
        <translation>Der Fall wurde nicht entfernt</translation>
    </message>
    <message>
        <source>Put the case into the fields</source>
        <translation>Den Fall in die Felder übernehmen</translation>
    </message>
    <message>
        <source>Save the prompt</source>
        <translation>Prompt sichern</translation>
    </message>
    <message>
        <source>Write a prompt</source>
        <translation>Prompt schreiben</translation>
    </message>
    <message>
        <source>Rename the case</source>
        <translation>Fall umbenennen</translation>
    </message>
</context>
<context>
    <name>espalier::ui::CaseRun</name>
    <message>
        <source>Holds what was expected</source>
        <translation>Enthält das Erwartete</translation>
    </message>
    <message>
        <source>Lacks &quot;%1&quot;</source>
        <translation>„%1“ fehlt</translation>
    </message>
    <message>
        <source>First run</source>
        <translation>Erster Lauf</translation>
    </message>
    <message>
        <source>As last time</source>
        <translation>Wie beim letzten Mal</translation>
    </message>
    <message>
        <source>Differs from last time</source>
        <translation>Anders als beim letzten Mal</translation>
    </message>
</context>
<context>
    <name>espalier::ui::CaseTable</name>
    <message>
        <source>not run</source>
        <translation>offen</translation>
    </message>
    <message>
        <source>as before</source>
        <translation>wie zuvor</translation>
    </message>
    <message>
        <source>Case</source>
        <translation>Fall</translation>
    </message>
    <message>
        <source>Result</source>
        <translation>Ergebnis</translation>
    </message>
    <message>
        <source>%1 of %2 differs</source>
        <translation>%1 von %2 weicht ab</translation>
    </message>
    <message>
        <source>%1 of %2 differ</source>
        <translation>%1 von %2 weichen ab</translation>
    </message>
    <message>
        <source>first run</source>
        <translation>erster Lauf</translation>
    </message>
    <message>
        <source>%1 of %2 passed</source>
        <translation>%1 von %2 bestanden</translation>
    </message>
</context>
<context>
    <name>espalier::ui::CertaintyLegend</name>
    <message>
        <source>under 80 %</source>
        <translation>unter 80 %</translation>
    </message>
    <message>
        <source>under 50 %</source>
        <translation>unter 50 %</translation>
    </message>
    <message>
        <source>under 25 %</source>
        <translation>unter 25 %</translation>
    </message>
    <message>
        <source>Certainty of a token: under 80 % underlined, under 50 % dotted, under 25 % underlined twice on a warning ground</source>
        <translation>Sicherheit eines Tokens: unter 80 % unterstrichen, unter 50 % gepunktet, unter 25 % doppelt unterstrichen auf Warngrund</translation>
    </message>
    <message>
        <source>Certainty of a token</source>
        <translation>Sicherheit eines Tokens</translation>
    </message>
</context>
<context>
    <name>espalier::ui::ChatLane</name>
    <message>
        <source>Stopped at end of turn</source>
        <translation>Am Ende der Antwort beendet</translation>
    </message>
    <message>
        <source>Stopped at the most tokens</source>
        <translation>Bei der Höchstzahl der Token beendet</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>Fehlgeschlagen</translation>
    </message>
    <message>
        <source>Stopped by you</source>
        <translation>Von Ihnen gestoppt</translation>
    </message>
    <message>
        <source>Chat</source>
        <translation>Gespräch</translation>
    </message>
    <message>
        <source>TTFT</source>
        <translation>TTFT</translation>
    </message>
    <message>
        <source>Decode</source>
        <translation>Decode</translation>
    </message>
    <message>
        <source>Tokens</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>Mean logprob</source>
        <translation>Mittl. Logprob</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Close this column</source>
        <translation>Spalte schließen</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>Vergleichen</translation>
    </message>
    <message>
        <source>Copy answer</source>
        <translation>Antwort kopieren</translation>
    </message>
    <message>
        <source>Edit the last message</source>
        <translation>Letzte Nachricht bearbeiten</translation>
    </message>
    <message>
        <source>Regenerate</source>
        <translation>Neu erzeugen</translation>
    </message>
    <message>
        <source>Answering</source>
        <translation>Antwortet</translation>
    </message>
    <message>
        <source>The answer failed</source>
        <translation>Die Antwort ist fehlgeschlagen</translation>
    </message>
    <message>
        <source>ms</source>
        <translation>ms</translation>
    </message>
    <message>
        <source>tok/s</source>
        <translation>Tok/s</translation>
    </message>
    <message>
        <source>Import a model, then chat with it here.</source>
        <translation>Importieren Sie ein Modell und sprechen Sie dann hier mit ihm.</translation>
    </message>
    <message>
        <source>Ask %1 something.</source>
        <translation>Fragen Sie %1 etwas.</translation>
    </message>
    <message>
        <source>Import model</source>
        <translation>Modell importieren</translation>
    </message>
    <message>
        <source>Write a message</source>
        <translation>Nachricht schreiben</translation>
    </message>
    <message>
        <source>No model</source>
        <translation>Kein Modell</translation>
    </message>
</context>
<context>
    <name>espalier::ui::ChatStream</name>
    <message>
        <source>The connection ended before the answer did</source>
        <translation>Die Verbindung endete vor der Antwort</translation>
    </message>
</context>
<context>
    <name>espalier::ui::CommandPalette</name>
    <message>
        <source>Commands</source>
        <translation>Befehle</translation>
    </message>
    <message>
        <source>Go to or run a command</source>
        <translation>Gehe zu oder führe aus</translation>
    </message>
    <message>
        <source>Command palette</source>
        <translation>Befehlspalette</translation>
    </message>
</context>
<context>
    <name>espalier::ui::ConnectPage</name>
    <message>
        <source>Workspaces and servers</source>
        <translation>Arbeitsbereiche und Server</translation>
    </message>
    <message>
        <source>Workspace</source>
        <translation>Arbeitsbereich</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>Ordner</translation>
    </message>
    <message>
        <source>Engine</source>
        <translation>Engine</translation>
    </message>
    <message>
        <source>Server</source>
        <translation>Server</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>Schlüssel</translation>
    </message>
    <message>
        <source>Open sample</source>
        <translation>Beispiel öffnen</translation>
    </message>
    <message>
        <source>Open a folder…</source>
        <translation>Ordner öffnen…</translation>
    </message>
    <message>
        <source>The kept servers were not read</source>
        <translation>Die gemerkten Server wurden nicht gelesen</translation>
    </message>
    <message>
        <source>Workspaces on this machine</source>
        <translation>Arbeitsbereiche auf diesem Rechner</translation>
    </message>
    <message>
        <source>Workspaces</source>
        <translation>Arbeitsbereiche</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
    <message>
        <source>Remove from this list</source>
        <translation>Aus der Liste nehmen</translation>
    </message>
    <message>
        <source>Server of a colleague</source>
        <translation>Server einer Kollegin oder eines Kollegen</translation>
    </message>
    <message>
        <source>Address</source>
        <translation>Adresse</translation>
    </message>
    <message>
        <source>the admin key, or a key for its models</source>
        <translation>der Admin-Schlüssel oder einer für die Modelle</translation>
    </message>
    <message>
        <source>Keep the key on this machine</source>
        <translation>Schlüssel auf diesem Rechner behalten</translation>
    </message>
    <message>
        <source>In %1, which only you may read</source>
        <translation>In %1, nur von Ihnen lesbar</translation>
    </message>
    <message>
        <source>Attach</source>
        <translation>Verbinden</translation>
    </message>
    <message>
        <source>Forget this server</source>
        <translation>Server vergessen</translation>
    </message>
    <message>
        <source>Servers</source>
        <translation>Server</translation>
    </message>
    <message>
        <source>The list of servers was not saved</source>
        <translation>Die Liste der Server wurde nicht gespeichert</translation>
    </message>
    <message>
        <source>Open here</source>
        <translation>Hier geöffnet</translation>
    </message>
    <message>
        <source>Runs</source>
        <translation>Läuft</translation>
    </message>
    <message>
        <source>Asked for</source>
        <translation>Wird erfragt</translation>
    </message>
    <message>
        <source>Kept</source>
        <translation>Behalten</translation>
    </message>
    <message>
        <source>Attached to %1</source>
        <translation>Verbunden mit %1</translation>
    </message>
    <message>
        <source>Not attached</source>
        <translation>Nicht verbunden</translation>
    </message>
    <message>
        <source>The server was not kept</source>
        <translation>Der Server wurde nicht gemerkt</translation>
    </message>
    <message>
        <source>Not attached to %1</source>
        <translation>Nicht mit %1 verbunden</translation>
    </message>
    <message>
        <source>Workspaces that you open are listed here.</source>
        <translation>Arbeitsbereiche, die Sie öffnen, stehen hier.</translation>
    </message>
    <message>
        <source>Open the sample</source>
        <translation>Beispiel öffnen</translation>
    </message>
    <message>
        <source>Servers that you attach to are listed here.</source>
        <translation>Server, mit denen Sie sich verbinden, stehen hier.</translation>
    </message>
    <message>
        <source>Enter an address</source>
        <translation>Adresse eingeben</translation>
    </message>
</context>
<context>
    <name>espalier::ui::DaemonLauncher</name>
    <message>
        <source>The preferences say that it is not started by itself</source>
        <translation>Laut Einstellungen wird sie nicht von selbst gestartet</translation>
    </message>
    <message>
        <source>espalierctl was found neither beside this program nor on the PATH; install it or attach to a server</source>
        <translation>espalierctl liegt weder neben diesem Programm noch im PATH; installieren Sie es oder verbinden Sie sich mit einem Server</translation>
    </message>
    <message>
        <source>The workspace folder %1 cannot be made</source>
        <translation>Der Ordner %1 für den Arbeitsbereich lässt sich nicht anlegen</translation>
    </message>
    <message>
        <source>%1 did not start: %2</source>
        <translation>%1 startete nicht: %2</translation>
    </message>
    <message>
        <source>The engine ended before it answered</source>
        <translation>Die Engine endete, bevor sie antwortete</translation>
    </message>
    <message>
        <source>The engine did not answer within a minute; its log is %1</source>
        <translation>Die Engine antwortete nicht binnen einer Minute; ihr Protokoll ist %1</translation>
    </message>
</context>
<context>
    <name>espalier::ui::DropOverlay</name>
    <message>
        <source>Drop here</source>
        <translation>Hier ablegen</translation>
    </message>
</context>
<context>
    <name>espalier::ui::EmptyView</name>
    <message>
        <source>Clear the filter</source>
        <translation>Filter leeren</translation>
    </message>
    <message>
        <source>Nothing matches the filter.</source>
        <translation>Nichts passt zum Filter.</translation>
    </message>
</context>
<context>
    <name>espalier::ui::EngineClient</name>
    <message>
        <source>The server runs Espalier %1 and speaks protocol %2, this workbench speaks protocol %3.</source>
        <translation>Auf dem Server läuft Espalier %1 mit Protokoll %2, dieses Fenster spricht Protokoll %3.</translation>
    </message>
    <message>
        <source>Update the server: stop it, install this version there and start it again</source>
        <translation>Aktualisieren Sie den Server: anhalten, dort diese Version installieren und wieder starten</translation>
    </message>
    <message>
        <source>Update this workbench to the server&apos;s version</source>
        <translation>Aktualisieren Sie dieses Programm auf die Version des Servers</translation>
    </message>
    <message>
        <source>The server does not accept this key any more</source>
        <translation>Der Server nimmt diesen Schlüssel nicht mehr an</translation>
    </message>
    <message>
        <source>The server has been silent for five seconds</source>
        <translation>Der Server schweigt seit fünf Sekunden</translation>
    </message>
    <message>
        <source>Another server was chosen before this one had answered</source>
        <translation>Ein anderer Server wurde gewählt, bevor dieser geantwortet hatte</translation>
    </message>
    <message>
        <source>The connection to this server was given up</source>
        <translation>Die Verbindung zu diesem Server wurde aufgegeben</translation>
    </message>
</context>
<context>
    <name>espalier::ui::ErrorStrip</name>
    <message>
        <source>Details</source>
        <translation>Einzelheiten</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>Dismiss</source>
        <translation>Ausblenden</translation>
    </message>
    <message>
        <source>Error</source>
        <translation>Fehler</translation>
    </message>
    <message>
        <source>Make room and resume, or import again with the files linked in place.</source>
        <translation>Schaffen Sie Platz und setzen Sie fort, oder importieren Sie erneut mit verknüpften Dateien.</translation>
    </message>
    <message>
        <source>The files are not whole or do not belong together: fetch them again.</source>
        <translation>Die Dateien sind unvollständig oder gehören nicht zusammen: Holen Sie sie erneut.</translation>
    </message>
    <message>
        <source>Fetch the weights again, or import once more and allow NaN and infinity.</source>
        <translation>Holen Sie die Gewichte erneut, oder importieren Sie noch einmal und lassen NaN und unendlich zu.</translation>
    </message>
    <message>
        <source>End the other program that has the workspace open, then try again.</source>
        <translation>Beenden Sie das andere Programm, das den Arbeitsbereich offen hat, und versuchen Sie es erneut.</translation>
    </message>
    <message>
        <source>Try again in a moment.</source>
        <translation>Versuchen Sie es gleich noch einmal.</translation>
    </message>
    <message>
        <source>Unload another model, or start the server with a larger budget.</source>
        <translation>Entladen Sie ein anderes Modell, oder starten Sie den Server mit größerem Budget.</translation>
    </message>
    <message>
        <source>Shorten the conversation or begin a new chat.</source>
        <translation>Kürzen Sie das Gespräch oder beginnen Sie ein neues.</translation>
    </message>
    <message>
        <source>Start the server on the Serve page.</source>
        <translation>Starten Sie den Server auf der Seite Server.</translation>
    </message>
    <message>
        <source>It works again once the server answers; what you typed stays here.</source>
        <translation>Es geht weiter, sobald der Server antwortet; Ihre Eingaben bleiben hier.</translation>
    </message>
</context>
<context>
    <name>espalier::ui::HomeAdapters</name>
    <message>
        <source>All lie on the disk; one that is used lies in memory and on the device as well</source>
        <translation>Alle liegen auf der Platte; ein genutzter liegt auch im Arbeitsspeicher und auf dem Gerät</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Gerät</translation>
    </message>
    <message>
        <source>RAM</source>
        <translation>RAM</translation>
    </message>
    <message>
        <source>Disk</source>
        <translation>Platte</translation>
    </message>
    <message>
        <source>%1 adapter</source>
        <translation>%1 Adapter</translation>
    </message>
    <message>
        <source>%1 adapters</source>
        <translation>%1 Adaptern</translation>
    </message>
    <message>
        <source>%1: device %2, RAM %3, disk %4</source>
        <translation>%1: Gerät %2, RAM %3, Platte %4</translation>
    </message>
</context>
<context>
    <name>espalier::ui::HomePage</name>
    <message>
        <source>Home</source>
        <translation>Start</translation>
    </message>
    <message>
        <source>Open sample</source>
        <translation>Beispiel öffnen</translation>
    </message>
    <message>
        <source>Attach to a server</source>
        <translation>Mit einem Server verbinden</translation>
    </message>
    <message>
        <source>Import model</source>
        <translation>Modell importieren</translation>
    </message>
    <message>
        <source>Import a model to serve it, or begin with the sample workspace.</source>
        <translation>Importieren Sie ein Modell, um es bereitzustellen, oder beginnen Sie mit dem Beispiel.</translation>
    </message>
    <message>
        <source>Server</source>
        <translation>Server</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
    <message>
        <source>Running</source>
        <translation>Läuft</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>Wartend</translation>
    </message>
    <message>
        <source>Decode</source>
        <translation>Decode</translation>
    </message>
    <message>
        <source>TTFT p95</source>
        <translation>TTFT p95</translation>
    </message>
    <message>
        <source>Decode rate, tokens per second</source>
        <translation>Decode-Rate, Token je Sekunde</translation>
    </message>
    <message>
        <source>No samples yet</source>
        <translation>Noch keine Messwerte</translation>
    </message>
    <message>
        <source>Device memory</source>
        <translation>Gerätespeicher</translation>
    </message>
    <message>
        <source>Processor</source>
        <translation>Prozessor</translation>
    </message>
    <message>
        <source>Needs you</source>
        <translation>Zu erledigen</translation>
    </message>
    <message>
        <source>Jobs</source>
        <translation>Aufträge</translation>
    </message>
    <message>
        <source>No jobs yet: an import is the first.</source>
        <translation>Noch keine Aufträge: Ein Import ist der erste.</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
    <message>
        <source>Events</source>
        <translation>Ereignisse</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>Protokoll</translation>
    </message>
    <message>
        <source>Nothing has happened yet.</source>
        <translation>Noch ist nichts geschehen.</translation>
    </message>
    <message>
        <source>tok/s</source>
        <translation>Tok/s</translation>
    </message>
    <message>
        <source>ms</source>
        <translation>ms</translation>
    </message>
    <message>
        <source>%1 of %2 GiB</source>
        <translation>%1 von %2 GiB</translation>
    </message>
    <message>
        <source>%1 running, %2 queued</source>
        <translation>%1 laufen, %2 warten</translation>
    </message>
    <message>
        <source>Nothing needs you.</source>
        <translation>Nichts zu erledigen.</translation>
    </message>
    <message>
        <source>Look into the log</source>
        <translation>Ins Protokoll sehen</translation>
    </message>
    <message>
        <source>RAM</source>
        <translation>RAM</translation>
    </message>
    <message>
        <source>Disk</source>
        <translation>Platte</translation>
    </message>
    <message>
        <source>of %1</source>
        <translation>von %1</translation>
    </message>
    <message>
        <source>engine %1</source>
        <translation>Engine %1</translation>
    </message>
    <message>
        <source>%1 free, workspace %2</source>
        <translation>%1 frei, Arbeitsbereich %2</translation>
    </message>
    <message>
        <source>of %1 core</source>
        <translation>von %1 Kern</translation>
    </message>
    <message>
        <source>of %1 cores</source>
        <translation>von %1 Kernen</translation>
    </message>
    <message>
        <source>cores</source>
        <translation>Kerne</translation>
    </message>
    <message>
        <source>by the engine, %1</source>
        <translation>durch die Engine, %1</translation>
    </message>
</context>
<context>
    <name>espalier::ui::HomeTenants</name>
    <message>
        <source>Tenants by tokens today</source>
        <translation>Mandanten nach Token heute</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
    <message>
        <source>Nobody has used a token today.</source>
        <translation>Heute hat noch niemand ein Token verbraucht.</translation>
    </message>
    <message>
        <source>Ask in the Playground</source>
        <translation>Im Playground fragen</translation>
    </message>
    <message>
        <source>%1 in all</source>
        <translation>%1 insgesamt</translation>
    </message>
</context>
<context>
    <name>espalier::ui::ImportDialog</name>
    <message>
        <source>Copy into the workspace</source>
        <translation>In den Arbeitsbereich kopieren</translation>
    </message>
    <message>
        <source>Link in place</source>
        <translation>Am Ort verknüpfen</translation>
    </message>
    <message>
        <source>Files</source>
        <translation>Dateien</translation>
    </message>
    <message>
        <source>Import even if weights hold NaN or infinity</source>
        <translation>Auch importieren, wenn Gewichte NaN oder unendlich enthalten</translation>
    </message>
    <message>
        <source>Import</source>
        <translation>Importieren</translation>
    </message>
    <message>
        <source>Import model</source>
        <translation>Modell importieren</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Family</source>
        <translation>Familie</translation>
    </message>
    <message>
        <source>Parameters</source>
        <translation>Parameter</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>Type</source>
        <translation>Typ</translation>
    </message>
    <message>
        <source>Context</source>
        <translation>Kontext</translation>
    </message>
    <message>
        <source>Tokenizer</source>
        <translation>Tokenizer</translation>
    </message>
    <message>
        <source>Chat template</source>
        <translation>Chat-Vorlage</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>Lizenz</translation>
    </message>
    <message>
        <source>Free on disk</source>
        <translation>Frei auf der Platte</translation>
    </message>
    <message>
        <source>Choose a model folder</source>
        <translation>Modellordner wählen</translation>
    </message>
    <message>
        <source>Reading %1</source>
        <translation>%1 wird gelesen</translation>
    </message>
    <message>
        <source>This cannot be imported</source>
        <translation>Das lässt sich nicht importieren</translation>
    </message>
    <message>
        <source>%1 can be imported</source>
        <translation>%1 kann importiert werden</translation>
    </message>
    <message>
        <source>none, ids only</source>
        <translation>keiner, nur Ids</translation>
    </message>
    <message>
        <source>yes</source>
        <translation>ja</translation>
    </message>
    <message>
        <source>The import did not start</source>
        <translation>Der Import begann nicht</translation>
    </message>
    <message>
        <source>none</source>
        <translation>keine</translation>
    </message>
    <message>
        <source>and %1 more</source>
        <translation>und %1 weitere</translation>
    </message>
    <message>
        <source>Choose a folder with config.json and weights, or a model file</source>
        <translation>Wählen Sie einen Ordner mit config.json und Gewichten oder eine Modelldatei</translation>
    </message>
    <message>
        <source>Warnings</source>
        <translation>Warnungen</translation>
    </message>
    <message>
        <source>Folder…</source>
        <translation>Ordner…</translation>
    </message>
    <message>
        <source>File…</source>
        <translation>Datei…</translation>
    </message>
    <message>
        <source>Layers</source>
        <translation>Schichten</translation>
    </message>
    <message>
        <source>Tensors found</source>
        <translation>Gefundene Tensoren</translation>
    </message>
    <message>
        <source>Choose a model file</source>
        <translation>Modelldatei wählen</translation>
    </message>
    <message>
        <source>Models (*.gguf *.safetensors config.json);;All files (*)</source>
        <translation>Modelle (*.gguf *.safetensors config.json);;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>none named</source>
        <translation>keine genannt</translation>
    </message>
    <message>
        <source>%1 tensors, %2 not used</source>
        <translation>%1 Tensoren, %2 nicht benutzt</translation>
    </message>
    <message>
        <source>%1 tensor</source>
        <translation>%1 Tensor</translation>
    </message>
    <message>
        <source>%1 tensors, each with a role</source>
        <translation>%1 Tensoren, jeder mit seiner Rolle</translation>
    </message>
    <message>
        <source>Tensors and their roles</source>
        <translation>Tensoren und ihre Rollen</translation>
    </message>
    <message>
        <source>A copy needs %1, %2 are free: make room, or link the files in place</source>
        <translation>Eine Kopie braucht %1, %2 sind frei: Schaffen Sie Platz oder verknüpfen Sie die Dateien am Ort</translation>
    </message>
    <message>
        <source>Folder or file</source>
        <translation>Ordner oder Datei</translation>
    </message>
    <message>
        <source>Drop to import %1</source>
        <translation>Ablegen importiert %1</translation>
    </message>
    <message>
        <source>The model was not understood</source>
        <translation>Das Modell wurde nicht verstanden</translation>
    </message>
    <message>
        <source>As they are</source>
        <translation>Unverändert</translation>
    </message>
    <message>
        <source>Weights</source>
        <translation>Gewichte</translation>
    </message>
    <message>
        <source>Q8_0 and Q4_0 store linear weights in blocks of 8 or 4 bits: smaller, less exact</source>
        <translation>Q8_0 und Q4_0 speichern lineare Gewichte in Blöcken zu 8 oder 4 Bit: kleiner, weniger genau</translation>
    </message>
    <message>
        <source>There is no model to read there</source>
        <translation>Dort ist kein Modell zu lesen</translation>
    </message>
    <message>
        <source>Check the path: a folder with config.json and weights, or a model file.</source>
        <translation>Pfad prüfen: ein Ordner mit config.json und Gewichten oder eine Modelldatei.</translation>
    </message>
</context>
<context>
    <name>espalier::ui::IsolationStrip</name>
    <message>
        <source>Everyone at once</source>
        <translation>Alle zugleich</translation>
    </message>
    <message>
        <source>Each first and last</source>
        <translation>Jeder als Erster und als Letzter</translation>
    </message>
    <message>
        <source>The base beside adapters</source>
        <translation>Die Basis neben Adaptern</translation>
    </message>
    <message>
        <source>After eviction and reuse of pages</source>
        <translation>Nach Verdrängung und Wiederverwendung von Seiten</translation>
    </message>
    <message>
        <source>Start</source>
        <translation>Start</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Model to check</source>
        <translation>Zu prüfendes Modell</translation>
    </message>
    <message>
        <source>Start the isolation check</source>
        <translation>Trennungsprüfung starten</translation>
    </message>
    <message>
        <source>Cancel the isolation check</source>
        <translation>Trennungsprüfung abbrechen</translation>
    </message>
    <message>
        <source>Close the isolation check</source>
        <translation>Trennungsprüfung schließen</translation>
    </message>
    <message>
        <source>Answers alone against answers among others, bit for bit</source>
        <translation>Antworten allein gegen Antworten unter anderen, Bit für Bit</translation>
    </message>
    <message>
        <source>Running</source>
        <translation>Läuft</translation>
    </message>
    <message>
        <source>Serving %1 alone and among others; everybody else is served in between</source>
        <translation>%1 wird allein und unter anderen bedient; alle anderen kommen dazwischen dran</translation>
    </message>
    <message>
        <source>Cancelled</source>
        <translation>Abgebrochen</translation>
    </message>
    <message>
        <source>Isolated</source>
        <translation>Getrennt</translation>
    </message>
    <message>
        <source>Not isolated</source>
        <translation>Nicht getrennt</translation>
    </message>
    <message>
        <source>%1 with %2: %3 answers compared; compute %4, KV %5</source>
        <translation>%1 mit %2: %3 Antworten verglichen; Rechnung %4, KV %5</translation>
    </message>
    <message>
        <source>%1 adapter</source>
        <translation>%1 Adapter</translation>
    </message>
    <message>
        <source>%1 adapters</source>
        <translation>%1 Adaptern</translation>
    </message>
    <message>
        <source>same bits</source>
        <translation>dieselben Bits</translation>
    </message>
    <message>
        <source>different, %1</source>
        <translation>verschieden, %1</translation>
    </message>
    <message>
        <source>Prefixes of other tenants and adapters</source>
        <translation>Präfixe anderer Mandanten und Adapter</translation>
    </message>
    <message>
        <source>none found</source>
        <translation>keine gefunden</translation>
    </message>
    <message>
        <source>Check again</source>
        <translation>Erneut prüfen</translation>
    </message>
    <message>
        <source>Check again whether answers are isolated</source>
        <translation>Erneut prüfen, ob Antworten getrennt sind</translation>
    </message>
</context>
<context>
    <name>espalier::ui::JobRow</name>
    <message>
        <source>The engine ended while this ran. Resume goes on with the next file; Discard removes what is there of it.</source>
        <translation>Die Engine endete, während dies lief. Fortsetzen macht mit der nächsten Datei weiter; Verwerfen entfernt, was davon da ist.</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Anhalten</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>Verwerfen</translation>
    </message>
    <message>
        <source>The job was not paused</source>
        <translation>Der Auftrag wurde nicht angehalten</translation>
    </message>
    <message>
        <source>The job was not resumed</source>
        <translation>Der Auftrag wurde nicht fortgesetzt</translation>
    </message>
    <message>
        <source>The job was not cancelled</source>
        <translation>Der Auftrag wurde nicht abgebrochen</translation>
    </message>
    <message>
        <source>The job was not discarded</source>
        <translation>Der Auftrag wurde nicht verworfen</translation>
    </message>
    <message>
        <source>Waiting for its turn</source>
        <translation>Wartet, bis es an der Reihe ist</translation>
    </message>
    <message>
        <source>%1 left</source>
        <translation>noch %1</translation>
    </message>
    <message>
        <source>%1/s · </source>
        <translation>%1/s · </translation>
    </message>
</context>
<context>
    <name>espalier::ui::JobTable</name>
    <message>
        <source>Job</source>
        <translation>Auftrag</translation>
    </message>
    <message>
        <source>Kind</source>
        <translation>Art</translation>
    </message>
    <message>
        <source>State</source>
        <translation>Zustand</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>Fortschritt</translation>
    </message>
    <message>
        <source>Rate</source>
        <translation>Rate</translation>
    </message>
    <message>
        <source>Time left</source>
        <translation>Restzeit</translation>
    </message>
</context>
<context>
    <name>espalier::ui::JobsDock</name>
    <message>
        <source>Jobs</source>
        <translation>Aufträge</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Anhalten</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>Verwerfen</translation>
    </message>
    <message>
        <source>Copy command</source>
        <translation>Befehl kopieren</translation>
    </message>
    <message>
        <source>They run in the engine: closing this window stops none of them</source>
        <translation>Sie laufen in der Engine: Das Schließen des Fensters beendet keinen</translation>
    </message>
    <message>
        <source>All jobs</source>
        <translation>Alle Aufträge</translation>
    </message>
    <message>
        <source>Running or queued</source>
        <translation>Laufend oder wartend</translation>
    </message>
    <message>
        <source>Paused or interrupted</source>
        <translation>Angehalten oder unterbrochen</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>Fehlgeschlagen</translation>
    </message>
    <message>
        <source>Jobs shown</source>
        <translation>Gezeigte Aufträge</translation>
    </message>
    <message>
        <source>%1 failed</source>
        <translation>%1 ist fehlgeschlagen</translation>
    </message>
    <message>
        <source>The job did not take this</source>
        <translation>Der Auftrag nahm das nicht an</translation>
    </message>
    <message>
        <source>The job was not discarded</source>
        <translation>Der Auftrag wurde nicht verworfen</translation>
    </message>
    <message>
        <source>Show all jobs</source>
        <translation>Alle Aufträge zeigen</translation>
    </message>
    <message>
        <source>No jobs yet: an import is the first.</source>
        <translation>Noch keine Aufträge: Ein Import ist der erste.</translation>
    </message>
    <message>
        <source>Import model</source>
        <translation>Modell importieren</translation>
    </message>
    <message>
        <source>No job is in this state.</source>
        <translation>Kein Auftrag ist in diesem Zustand.</translation>
    </message>
</context>
<context>
    <name>espalier::ui::KeyDialog</name>
    <message>
        <source>New key</source>
        <translation>Neuer Schlüssel</translation>
    </message>
    <message>
        <source>Copy the key</source>
        <translation>Schlüssel kopieren</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>Kopiert</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>Fertig</translation>
    </message>
    <message>
        <source>This is the key of %1. It is shown this once: only a digest of it is kept.</source>
        <translation>Das ist der Schlüssel von %1. Er wird nur dieses eine Mal gezeigt: Aufbewahrt wird nur sein Hash.</translation>
    </message>
</context>
<context>
    <name>espalier::ui::KeyField</name>
    <message>
        <source>Show the key</source>
        <translation>Schlüssel zeigen</translation>
    </message>
    <message>
        <source>Copy the key</source>
        <translation>Schlüssel kopieren</translation>
    </message>
    <message>
        <source>key ••••••••</source>
        <translation>Schlüssel ••••••••</translation>
    </message>
    <message>
        <source>Hide the key</source>
        <translation>Schlüssel verbergen</translation>
    </message>
    <message>
        <source>Copy the key; it is kept in %1</source>
        <translation>Schlüssel kopieren; er liegt in %1</translation>
    </message>
</context>
<context>
    <name>espalier::ui::LaneRow</name>
    <message>
        <source>Models side by side</source>
        <translation>Modelle nebeneinander</translation>
    </message>
</context>
<context>
    <name>espalier::ui::LayerTable</name>
    <message>
        <source>Layer</source>
        <translation>Schicht</translation>
    </message>
    <message>
        <source>Heads</source>
        <translation>Köpfe</translation>
    </message>
    <message>
        <source>KV heads</source>
        <translation>KV-Köpfe</translation>
    </message>
    <message>
        <source>Neurons</source>
        <translation>Neuronen</translation>
    </message>
    <message>
        <source>Tensors</source>
        <translation>Tensoren</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
</context>
<context>
    <name>espalier::ui::LimitRow</name>
    <message>
        <source>Limits</source>
        <translation>Grenzen</translation>
    </message>
    <message>
        <source>Limits of %1</source>
        <translation>Grenzen von %1</translation>
    </message>
    <message>
        <source>%1 has used up its tokens of today</source>
        <translation>%1 hat seine Token von heute verbraucht</translation>
    </message>
    <message>
        <source>%1 is near its limit</source>
        <translation>%1 ist nah an seiner Grenze</translation>
    </message>
    <message>
        <source>%1 of %2 tokens today, at %3 %</source>
        <translation>%1 von %2 Token heute, bei %3 %</translation>
    </message>
</context>
<context>
    <name>espalier::ui::LimitText</name>
    <message>
        <source>Requests</source>
        <translation>Anfragen</translation>
    </message>
    <message>
        <source>/ min</source>
        <translation>/ min</translation>
    </message>
    <message>
        <source>Requests a minute</source>
        <translation>Anfragen pro Minute</translation>
    </message>
    <message>
        <source>Tokens</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>Tokens a minute</source>
        <translation>Token pro Minute</translation>
    </message>
    <message>
        <source>Per day</source>
        <translation>Pro Tag</translation>
    </message>
    <message>
        <source>tok</source>
        <translation>Tok</translation>
    </message>
    <message>
        <source>Tokens a day</source>
        <translation>Token pro Tag</translation>
    </message>
    <message>
        <source>At once</source>
        <translation>Gleichzeitig</translation>
    </message>
    <message>
        <source>Calls at once</source>
        <translation>Aufrufe gleichzeitig</translation>
    </message>
    <message>
        <source>KV pages</source>
        <translation>KV-Seiten</translation>
    </message>
    <message>
        <source>First token</source>
        <translation>Erstes Token</translation>
    </message>
    <message>
        <source>ms</source>
        <translation>ms</translation>
    </message>
    <message>
        <source>Longest wait for the first token</source>
        <translation>Längste Wartezeit auf das erste Token</translation>
    </message>
    <message>
        <source>Weight</source>
        <translation>Gewicht</translation>
    </message>
    <message>
        <source>Expires</source>
        <translation>Läuft ab</translation>
    </message>
    <message>
        <source>never</source>
        <translation>nie</translation>
    </message>
    <message>
        <source>none</source>
        <translation>keine</translation>
    </message>
</context>
<context>
    <name>espalier::ui::LinkStrip</name>
    <message>
        <source>Try again</source>
        <translation>Erneut versuchen</translation>
    </message>
    <message>
        <source>Start the engine</source>
        <translation>Engine starten</translation>
    </message>
    <message>
        <source>Workspaces and servers</source>
        <translation>Arbeitsbereiche und Server</translation>
    </message>
    <message>
        <source>Connection</source>
        <translation>Verbindung</translation>
    </message>
    <message>
        <source>The connection to %1 is lost</source>
        <translation>Die Verbindung zu %1 ist abgerissen</translation>
    </message>
    <message>
        <source>Not connected to %1</source>
        <translation>Nicht mit %1 verbunden</translation>
    </message>
    <message>
        <source>No engine runs for %1</source>
        <translation>Für %1 läuft keine Engine</translation>
    </message>
    <message>
        <source>Trying again now</source>
        <translation>Neuer Versuch läuft</translation>
    </message>
    <message>
        <source>Trying again in %1 s</source>
        <translation>Neuer Versuch in %1 s</translation>
    </message>
</context>
<context>
    <name>espalier::ui::LoadedTable</name>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>State</source>
        <translation>Zustand</translation>
    </message>
    <message>
        <source>Weights</source>
        <translation>Gewichte</translation>
    </message>
    <message>
        <source>Running</source>
        <translation>Läuft</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>Wartend</translation>
    </message>
    <message>
        <source>Pages running</source>
        <translation>Seiten laufend</translation>
    </message>
    <message>
        <source>Pages cached</source>
        <translation>Seiten im Cache</translation>
    </message>
    <message>
        <source>Pages</source>
        <translation>Seiten</translation>
    </message>
    <message>
        <source>Pool in use</source>
        <translation>Pool belegt</translation>
    </message>
    <message>
        <source>Loading %1 %</source>
        <translation>Wird geladen, %1 %</translation>
    </message>
    <message>
        <source>Ready</source>
        <translation>Bereit</translation>
    </message>
</context>
<context>
    <name>espalier::ui::LogDock</name>
    <message>
        <source>Log</source>
        <translation>Protokoll</translation>
    </message>
    <message>
        <source>Everything</source>
        <translation>Alles</translation>
    </message>
    <message>
        <source>Warnings</source>
        <translation>Warnungen</translation>
    </message>
    <message>
        <source>Errors</source>
        <translation>Fehler</translation>
    </message>
    <message>
        <source>Least level shown</source>
        <translation>Ab welcher Stufe</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>Suchen</translation>
    </message>
    <message>
        <source>Search the log</source>
        <translation>Protokoll durchsuchen</translation>
    </message>
    <message>
        <source>Copy diagnostics</source>
        <translation>Diagnose kopieren</translation>
    </message>
    <message>
        <source>Save…</source>
        <translation>Speichern…</translation>
    </message>
    <message>
        <source>Save the log</source>
        <translation>Protokoll speichern</translation>
    </message>
    <message>
        <source>%1 was not written</source>
        <translation>%1 wurde nicht geschrieben</translation>
    </message>
    <message>
        <source>Show everything</source>
        <translation>Alles zeigen</translation>
    </message>
    <message>
        <source>The log has no such line.</source>
        <translation>Das Protokoll hat keine solche Zeile.</translation>
    </message>
    <message>
        <source>Info</source>
        <translation>Info</translation>
    </message>
</context>
<context>
    <name>espalier::ui::LogTable</name>
    <message>
        <source>Time</source>
        <translation>Zeit</translation>
    </message>
    <message>
        <source>Level</source>
        <translation>Stufe</translation>
    </message>
    <message>
        <source>Source</source>
        <translation>Quelle</translation>
    </message>
    <message>
        <source>Message</source>
        <translation>Nachricht</translation>
    </message>
    <message>
        <source>Error</source>
        <translation>Fehler</translation>
    </message>
    <message>
        <source>Warning</source>
        <translation>Warnung</translation>
    </message>
    <message>
        <source>Info</source>
        <translation>Info</translation>
    </message>
    <message>
        <source>Debug</source>
        <translation>Debug</translation>
    </message>
</context>
<context>
    <name>espalier::ui::MainWindow</name>
    <message>
        <source>Home</source>
        <translation>Start</translation>
    </message>
    <message>
        <source>Build</source>
        <translation>Bauen</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
    <message>
        <source>Run</source>
        <translation>Betreiben</translation>
    </message>
    <message>
        <source>Serve</source>
        <translation>Server</translation>
    </message>
    <message>
        <source>Playground</source>
        <translation>Spielwiese</translation>
    </message>
    <message>
        <source>Preferences</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Serving</source>
        <translation>In Betrieb</translation>
    </message>
    <message>
        <source>File</source>
        <translation>Datei</translation>
    </message>
    <message>
        <source>Workspaces and servers</source>
        <translation>Arbeitsbereiche und Server</translation>
    </message>
    <message>
        <source>Open workspace…</source>
        <translation>Arbeitsbereich öffnen…</translation>
    </message>
    <message>
        <source>Open sample</source>
        <translation>Beispiel öffnen</translation>
    </message>
    <message>
        <source>Attach to a server</source>
        <translation>Mit einem Server verbinden</translation>
    </message>
    <message>
        <source>Close the window</source>
        <translation>Fenster schließen</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>Beenden</translation>
    </message>
    <message>
        <source>Edit</source>
        <translation>Bearbeiten</translation>
    </message>
    <message>
        <source>Restore removed model</source>
        <translation>Entferntes Modell zurückholen</translation>
    </message>
    <message>
        <source>Cut</source>
        <translation>Ausschneiden</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>Paste</source>
        <translation>Einfügen</translation>
    </message>
    <message>
        <source>Select all</source>
        <translation>Alles auswählen</translation>
    </message>
    <message>
        <source>View</source>
        <translation>Ansicht</translation>
    </message>
    <message>
        <source>Jobs</source>
        <translation>Aufträge</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>Protokoll</translation>
    </message>
    <message>
        <source>Theme of the desktop</source>
        <translation>Farben der Arbeitsumgebung</translation>
    </message>
    <message>
        <source>Light theme</source>
        <translation>Helle Farben</translation>
    </message>
    <message>
        <source>Dark theme</source>
        <translation>Dunkle Farben</translation>
    </message>
    <message>
        <source>Larger text</source>
        <translation>Größerer Text</translation>
    </message>
    <message>
        <source>Smaller text</source>
        <translation>Kleinerer Text</translation>
    </message>
    <message>
        <source>Text as the desktop has it</source>
        <translation>Text wie in der Arbeitsumgebung</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Import model…</source>
        <translation>Modell importieren…</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>Umbenennen</translation>
    </message>
    <message>
        <source>Load onto the device</source>
        <translation>Auf das Gerät laden</translation>
    </message>
    <message>
        <source>The model was not loaded</source>
        <translation>Das Modell wurde nicht geladen</translation>
    </message>
    <message>
        <source>Unload from the device</source>
        <translation>Vom Gerät nehmen</translation>
    </message>
    <message>
        <source>The model was not unloaded</source>
        <translation>Das Modell wurde nicht vom Gerät genommen</translation>
    </message>
    <message>
        <source>Verify the digest</source>
        <translation>Prüfsumme prüfen</translation>
    </message>
    <message>
        <source>The check did not start</source>
        <translation>Die Prüfung begann nicht</translation>
    </message>
    <message>
        <source>Scan for NaN and infinity</source>
        <translation>Auf NaN und unendlich prüfen</translation>
    </message>
    <message>
        <source>The scan did not start</source>
        <translation>Die Suche begann nicht</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>The model was not removed</source>
        <translation>Das Modell wurde nicht entfernt</translation>
    </message>
    <message>
        <source>Empty the bin</source>
        <translation>Papierkorb leeren</translation>
    </message>
    <message>
        <source>Start or stop the server</source>
        <translation>Server starten oder stoppen</translation>
    </message>
    <message>
        <source>The server was not stopped</source>
        <translation>Der Server wurde nicht gestoppt</translation>
    </message>
    <message>
        <source>The server was not started</source>
        <translation>Der Server wurde nicht gestartet</translation>
    </message>
    <message>
        <source>Drain</source>
        <translation>Auslaufen</translation>
    </message>
    <message>
        <source>The server does not drain</source>
        <translation>Der Server läuft nicht aus</translation>
    </message>
    <message>
        <source>Copy the address</source>
        <translation>Adresse kopieren</translation>
    </message>
    <message>
        <source>Pause or resume the plots</source>
        <translation>Diagramme anhalten oder fortsetzen</translation>
    </message>
    <message>
        <source>Tools</source>
        <translation>Werkzeuge</translation>
    </message>
    <message>
        <source>Go to or run a command</source>
        <translation>Gehe zu oder führe aus</translation>
    </message>
    <message>
        <source>Try the connection again</source>
        <translation>Verbindung erneut versuchen</translation>
    </message>
    <message>
        <source>Start the engine</source>
        <translation>Engine starten</translation>
    </message>
    <message>
        <source>Stop the engine</source>
        <translation>Engine stoppen</translation>
    </message>
    <message>
        <source>Copy diagnostics</source>
        <translation>Diagnose kopieren</translation>
    </message>
    <message>
        <source>Save the log…</source>
        <translation>Protokoll speichern…</translation>
    </message>
    <message>
        <source>Window</source>
        <translation>Fenster</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>Hilfe</translation>
    </message>
    <message>
        <source>Next page</source>
        <translation>Nächste Seite</translation>
    </message>
    <message>
        <source>Previous page</source>
        <translation>Vorige Seite</translation>
    </message>
    <message>
        <source>Next part of the window</source>
        <translation>Nächster Teil des Fensters</translation>
    </message>
    <message>
        <source>Minimise</source>
        <translation>Verkleinern</translation>
    </message>
    <message>
        <source>Full screen</source>
        <translation>Vollbild</translation>
    </message>
    <message>
        <source>Commands and keys</source>
        <translation>Befehle und Tasten</translation>
    </message>
    <message>
        <source>About Espalier and its licences</source>
        <translation>Über Espalier und seine Lizenzen</translation>
    </message>
    <message>
        <source>The engine was not stopped</source>
        <translation>Die Engine wurde nicht gestoppt</translation>
    </message>
    <message>
        <source>It was stopped from here</source>
        <translation>Sie wurde von hier gestoppt</translation>
    </message>
    <message>
        <source>Open a workspace folder</source>
        <translation>Ordner eines Arbeitsbereichs öffnen</translation>
    </message>
    <message>
        <source>The sample workspace was not made</source>
        <translation>Der Beispiel-Arbeitsbereich wurde nicht angelegt</translation>
    </message>
    <message>
        <source>Drop to import %1</source>
        <translation>Ablegen importiert %1</translation>
    </message>
    <message>
        <source>Drop to open the workspace %1</source>
        <translation>Ablegen öffnet den Arbeitsbereich %1</translation>
    </message>
    <message>
        <source>Drop to attach to %1</source>
        <translation>Ablegen verbindet mit %1</translation>
    </message>
    <message>
        <source>Models are imported on the machine of %1, not from here</source>
        <translation>Modelle werden auf dem Rechner von %1 importiert, nicht von hier</translation>
    </message>
    <message>
        <source>Port and exposure…</source>
        <translation>Port und Erreichbarkeit …</translation>
    </message>
    <message>
        <source>Tenants</source>
        <translation>Mandanten</translation>
    </message>
    <message>
        <source>Undo the change to a tenant</source>
        <translation>Änderung am Mandanten zurücknehmen</translation>
    </message>
    <message>
        <source>Drop to import the adapter %1 for %2</source>
        <translation>Ablegen importiert den Adapter %1 für %2</translation>
    </message>
    <message>
        <source>An adapter needs its model: import that first</source>
        <translation>Ein Adapter braucht sein Modell: zuerst dieses importieren</translation>
    </message>
    <message>
        <source>Copy the key</source>
        <translation>Schlüssel kopieren</translation>
    </message>
    <message>
        <source>Import adapter…</source>
        <translation>Adapter importieren …</translation>
    </message>
    <message>
        <source>New tenant</source>
        <translation>Neuer Mandant</translation>
    </message>
    <message>
        <source>Export the usage of all tenants…</source>
        <translation>Nutzung aller Mandanten exportieren …</translation>
    </message>
    <message>
        <source>Write a message</source>
        <translation>Nachricht schreiben</translation>
    </message>
    <message>
        <source>New chat</source>
        <translation>Neues Gespräch</translation>
    </message>
    <message>
        <source>Compare with another model</source>
        <translation>Mit einem anderen Modell vergleichen</translation>
    </message>
    <message>
        <source>Save the prompt as a case</source>
        <translation>Den Prompt als Fall sichern</translation>
    </message>
    <message>
        <source>Reload the adapter</source>
        <translation>Den Adapter neu laden</translation>
    </message>
    <message>
        <source>Remove the adapter</source>
        <translation>Den Adapter entfernen</translation>
    </message>
    <message>
        <source>Export the plots (CSV and PNG)…</source>
        <translation>Diagramme exportieren (CSV und PNG) …</translation>
    </message>
    <message>
        <source>Show the plots as tables</source>
        <translation>Diagramme als Tabellen zeigen</translation>
    </message>
    <message>
        <source>Edit the limits of the tenant</source>
        <translation>Grenzen des Mandanten ändern</translation>
    </message>
    <message>
        <source>New key for the tenant</source>
        <translation>Neuer Schlüssel für den Mandanten</translation>
    </message>
    <message>
        <source>Rotate the key of the tenant</source>
        <translation>Schlüssel des Mandanten erneuern</translation>
    </message>
    <message>
        <source>Revoke or restore the tenant</source>
        <translation>Mandanten sperren oder wiederherstellen</translation>
    </message>
    <message>
        <source>Export the usage of this tenant…</source>
        <translation>Verbrauch dieses Mandanten exportieren …</translation>
    </message>
    <message>
        <source>Isolation check</source>
        <translation>Trennungsprüfung</translation>
    </message>
    <message>
        <source>Filter the list of this page</source>
        <translation>Liste dieser Seite filtern</translation>
    </message>
    <message>
        <source>Revoke the key of the tenant</source>
        <translation>Schlüssel des Mandanten sperren</translation>
    </message>
    <message>
        <source>Choose the models and adapters of the tenant</source>
        <translation>Modelle und Adapter des Mandanten wählen</translation>
    </message>
    <message>
        <source>Usage of the tenant by day or by hour</source>
        <translation>Verbrauch des Mandanten nach Tagen oder Stunden</translation>
    </message>
    <message>
        <source>Cancel the isolation check</source>
        <translation>Trennungsprüfung abbrechen</translation>
    </message>
    <message>
        <source>Drop to import the adapters of %1 folders for %2</source>
        <translation>Ablegen importiert die Adapter aus %1 Ordnern für %2</translation>
    </message>
    <message>
        <source>Drop to import the adapters in %1 for %2</source>
        <translation>Ablegen importiert die Adapter in %1 für %2</translation>
    </message>
</context>
<context>
    <name>espalier::ui::MemoryBar</name>
    <message>
        <source>Device memory by owner</source>
        <translation>Gerätespeicher nach Besitzer</translation>
    </message>
    <message>
        <source>%1 of %2 GiB</source>
        <translation>%1 von %2 GiB</translation>
    </message>
</context>
<context>
    <name>espalier::ui::MemoryEstimatePanel</name>
    <message>
        <source>Memory estimate</source>
        <translation>Speicherschätzung</translation>
    </message>
    <message>
        <source>Memory by sequences at once, GiB</source>
        <translation>Speicher nach gleichzeitigen Sequenzen, GiB</translation>
    </message>
    <message>
        <source>Sequences at once</source>
        <translation>Sequenzen gleichzeitig</translation>
    </message>
    <message>
        <source>Context, tokens</source>
        <translation>Kontext, Token</translation>
    </message>
    <message>
        <source>GiB by sequences at once</source>
        <translation>GiB nach gleichzeitigen Sequenzen</translation>
    </message>
    <message>
        <source>Choose a model</source>
        <translation>Wählen Sie ein Modell</translation>
    </message>
    <message>
        <source>Weights</source>
        <translation>Gewichte</translation>
    </message>
    <message>
        <source>Workspace</source>
        <translation>Arbeitsbereich</translation>
    </message>
    <message>
        <source>Together</source>
        <translation>Zusammen</translation>
    </message>
    <message>
        <source>One answer, expected</source>
        <translation>Eine Antwort, erwartet</translation>
    </message>
    <message>
        <source>KV</source>
        <translation>KV</translation>
    </message>
    <message>
        <source>device %1</source>
        <translation>Gerät %1</translation>
    </message>
    <message>
        <source>%1 at once</source>
        <translation>%1 gleichzeitig</translation>
    </message>
    <message>
        <source>Fits: %1 to spare</source>
        <translation>Passt: %1 übrig</translation>
    </message>
    <message>
        <source>%1 too much</source>
        <translation>%1 zu viel</translation>
    </message>
    <message>
        <source>Device memory</source>
        <translation>Gerätespeicher</translation>
    </message>
    <message>
        <source>no measurement of this machine</source>
        <translation>diese Maschine ist nicht vermessen</translation>
    </message>
    <message>
        <source>no run to compare with yet</source>
        <translation>noch kein Lauf zum Vergleich</translation>
    </message>
    <message>
        <source>earlier answers gave %1 % of that</source>
        <translation>frühere Antworten gaben %1 % davon</translation>
    </message>
    <message>
        <source>Adapters resident</source>
        <translation>Adapter im Speicher</translation>
    </message>
    <message>
        <source>KV type</source>
        <translation>KV-Typ</translation>
    </message>
    <message>
        <source>The engine takes it with --kv when it starts</source>
        <translation>Die Engine nimmt ihn beim Start mit --kv an</translation>
    </message>
    <message>
        <source>Adapters, %1 each</source>
        <translation>Adapter, je %1</translation>
    </message>
    <message>
        <source>KV, %1 a token</source>
        <translation>KV, %1 je Token</translation>
    </message>
    <message>
        <source>%1 tok/s</source>
        <translation>%1 Tok/s</translation>
    </message>
</context>
<context>
    <name>espalier::ui::MessageRow</name>
    <message>
        <source>Role</source>
        <translation>Rolle</translation>
    </message>
    <message>
        <source>Message text</source>
        <translation>Text der Nachricht</translation>
    </message>
    <message>
        <source>Remove the message</source>
        <translation>Nachricht entfernen</translation>
    </message>
</context>
<context>
    <name>espalier::ui::ModelChoice</name>
    <message>
        <source>Models and adapters allowed</source>
        <translation>Erlaubte Modelle und Adapter</translation>
    </message>
    <message>
        <source>Filter</source>
        <translation>Filtern</translation>
    </message>
    <message>
        <source>Filter models and adapters</source>
        <translation>Modelle und Adapter filtern</translation>
    </message>
    <message>
        <source>none checked: all</source>
        <translation>keines gewählt: alle</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <translation>%1 von %2</translation>
    </message>
    <message>
        <source>every adapter of %1</source>
        <translation>jeder Adapter von %1</translation>
    </message>
</context>
<context>
    <name>espalier::ui::ModelInspector</name>
    <message>
        <source>Layers</source>
        <translation>Schichten</translation>
    </message>
    <message>
        <source>Hidden</source>
        <translation>Breite</translation>
    </message>
    <message>
        <source>Heads</source>
        <translation>Köpfe</translation>
    </message>
    <message>
        <source>Head</source>
        <translation>Kopf</translation>
    </message>
    <message>
        <source>MLP</source>
        <translation>MLP</translation>
    </message>
    <message>
        <source>Context</source>
        <translation>Kontext</translation>
    </message>
    <message>
        <source>Parts of the model</source>
        <translation>Teile des Modells</translation>
    </message>
    <message>
        <source>Tensors</source>
        <translation>Tensoren</translation>
    </message>
    <message>
        <source>Config</source>
        <translation>Konfiguration</translation>
    </message>
    <message>
        <source>Card</source>
        <translation>Karte</translation>
    </message>
    <message>
        <source>Configuration</source>
        <translation>Konfiguration</translation>
    </message>
    <message>
        <source>Load</source>
        <translation>Laden</translation>
    </message>
    <message>
        <source>Verify</source>
        <translation>Prüfen</translation>
    </message>
    <message>
        <source>Scan</source>
        <translation>Scannen</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>Choose a model to see its layers and tensors.</source>
        <translation>Wählen Sie ein Modell, um seine Schichten und Tensoren zu sehen.</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>New name</source>
        <translation>Neuer Name</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>Umbenennen</translation>
    </message>
    <message>
        <source>Name or shape</source>
        <translation>Name oder Form</translation>
    </message>
    <message>
        <source>Filter tensors by name or shape</source>
        <translation>Tensoren nach Name oder Form filtern</translation>
    </message>
    <message>
        <source>Linked</source>
        <translation>Verknüpft</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>Kopiert</translation>
    </message>
    <message>
        <source>%1 warning</source>
        <translation>%1 Warnung</translation>
    </message>
    <message>
        <source>%1 warnings</source>
        <translation>%1 Warnungen</translation>
    </message>
    <message>
        <source>The model was not renamed</source>
        <translation>Das Modell wurde nicht umbenannt</translation>
    </message>
    <message>
        <source>Origin</source>
        <translation>Herkunft</translation>
    </message>
    <message>
        <source>Model card</source>
        <translation>Modellkarte</translation>
    </message>
    <message>
        <source>The model card was not read</source>
        <translation>Die Modellkarte wurde nicht gelesen</translation>
    </message>
    <message>
        <source>The folder has no README.md.</source>
        <translation>Der Ordner hat keine README.md.</translation>
    </message>
    <message>
        <source>%1 of %2 finite</source>
        <translation>%1 von %2 endlich</translation>
    </message>
    <message>
        <source>Scanned %1 %2</source>
        <translation>Gescannt %1 %2</translation>
    </message>
    <message>
        <source>Verified</source>
        <translation>Geprüft</translation>
    </message>
    <message>
        <source>Adapters</source>
        <translation>Adapter</translation>
    </message>
    <message>
        <source>Import model</source>
        <translation>Modell importieren</translation>
    </message>
    <message>
        <source>Look again</source>
        <translation>Noch einmal nachsehen</translation>
    </message>
    <message>
        <source>The first %1 of %2; all of it is in</source>
        <translation>Die ersten %1 von %2; alles steht in</translation>
    </message>
    <message>
        <source>Imported %1 from</source>
        <translation>Importiert am %1 aus</translation>
    </message>
    <message>
        <source>Scan again</source>
        <translation>Erneut scannen</translation>
    </message>
</context>
<context>
    <name>espalier::ui::ModelTable</name>
    <message>
        <source>Name</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>Family</source>
        <translation>Familie</translation>
    </message>
    <message>
        <source>Parameters</source>
        <translation>Parameter</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>Type</source>
        <translation>Typ</translation>
    </message>
    <message>
        <source>Digest</source>
        <translation>Prüfsumme</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>Lizenz</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Gerät</translation>
    </message>
    <message>
        <source>Disk</source>
        <translation>Platte</translation>
    </message>
    <message>
        <source>Used by</source>
        <translation>Genutzt von</translation>
    </message>
    <message>
        <source>Where</source>
        <translation>Wo</translation>
    </message>
    <message>
        <source>%1 tenant may use it</source>
        <translation>%1 Mandant darf es nutzen</translation>
    </message>
    <message>
        <source>%1 tenants may use it</source>
        <translation>%1 Mandanten dürfen es nutzen</translation>
    </message>
</context>
<context>
    <name>espalier::ui::ModelsPage</name>
    <message>
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
    <message>
        <source>Filter</source>
        <translation>Filtern</translation>
    </message>
    <message>
        <source>Filter models</source>
        <translation>Modelle filtern</translation>
    </message>
    <message>
        <source>Import model</source>
        <translation>Modell importieren</translation>
    </message>
    <message>
        <source>Models of the workspace</source>
        <translation>Modelle des Arbeitsbereichs</translation>
    </message>
    <message>
        <source>Restore</source>
        <translation>Zurückholen</translation>
    </message>
    <message>
        <source>Empty</source>
        <translation>Leeren</translation>
    </message>
    <message>
        <source>%1, %2 on disk</source>
        <translation>%1, %2 auf der Platte</translation>
    </message>
    <message>
        <source>%1 model</source>
        <translation>%1 Modell</translation>
    </message>
    <message>
        <source>%1 models</source>
        <translation>%1 Modelle</translation>
    </message>
    <message>
        <source>Bin: %1, %2</source>
        <translation>Papierkorb: %1, %2</translation>
    </message>
    <message>
        <source>The model could not be read</source>
        <translation>Das Modell ließ sich nicht lesen</translation>
    </message>
    <message>
        <source>Models in the bin</source>
        <translation>Modelle im Papierkorb</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>Speicher</translation>
    </message>
    <message>
        <source>Tokenizer</source>
        <translation>Tokenizer</translation>
    </message>
    <message>
        <source>%1 was not restored</source>
        <translation>%1 wurde nicht zurückgeholt</translation>
    </message>
    <message>
        <source>The bin was not emptied</source>
        <translation>Der Papierkorb wurde nicht geleert</translation>
    </message>
    <message>
        <source>Back to the models</source>
        <translation>Zurück zu den Modellen</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>Zeigen</translation>
    </message>
    <message>
        <source>Show the bin</source>
        <translation>Papierkorb zeigen</translation>
    </message>
    <message>
        <source>In the bin until it is emptied</source>
        <translation>Im Papierkorb, bis er geleert wird</translation>
    </message>
    <message>
        <source>Drop a model folder or file anywhere in the window</source>
        <translation>Legen Sie einen Modellordner oder eine Datei irgendwo im Fenster ab</translation>
    </message>
    <message>
        <source>Jobs about models</source>
        <translation>Aufträge zu Modellen</translation>
    </message>
    <message>
        <source>No models yet. Import a model folder or a GGUF file, or drop it here.</source>
        <translation>Noch keine Modelle. Importieren Sie einen Modellordner oder eine GGUF-Datei, oder legen Sie sie hier ab.</translation>
    </message>
</context>
<context>
    <name>espalier::ui::MoveDetail</name>
    <message>
        <source>%1 request waited, up to %2 ms</source>
        <translation>%1 Anfrage hat gewartet, bis zu %2 ms</translation>
    </message>
    <message>
        <source>%1 requests waited, up to %2 ms</source>
        <translation>%1 Anfragen haben gewartet, bis zu %2 ms</translation>
    </message>
    <message>
        <source>Selected move</source>
        <translation>Gewählte Bewegung</translation>
    </message>
    <message>
        <source>Choose a move to see its cause and cost.</source>
        <translation>Wählen Sie eine Bewegung, um Grund und Kosten zu sehen.</translation>
    </message>
    <message>
        <source>What</source>
        <translation>Was</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>Path</source>
        <translation>Weg</translation>
    </message>
    <message>
        <source>Why</source>
        <translation>Warum</translation>
    </message>
    <message>
        <source>Cost</source>
        <translation>Kosten</translation>
    </message>
    <message>
        <source>Meanwhile</source>
        <translation>Derweil</translation>
    </message>
    <message>
        <source>%1, adapter of %2</source>
        <translation>%1, Adapter von %2</translation>
    </message>
    <message>
        <source>%1; for %2</source>
        <translation>%1; für %2</translation>
    </message>
    <message>
        <source>%1 in %2 % of its time</source>
        <translation>%1 in %2 % seiner Zeit</translation>
    </message>
    <message>
        <source>%1 step</source>
        <translation>%1 Schritt</translation>
    </message>
    <message>
        <source>%1 steps</source>
        <translation>%1 Schritte</translation>
    </message>
    <message>
        <source>Added up to %1 ms</source>
        <translation>Bis zu %1 ms gewartet</translation>
    </message>
    <message>
        <source>Hidden behind compute</source>
        <translation>Vom Rechnen verdeckt</translation>
    </message>
    <message>
        <source>%1, %2 ms at %3</source>
        <translation>%1, %2 ms mit %3</translation>
    </message>
    <message>
        <source>Nothing was copied</source>
        <translation>Nichts wurde kopiert</translation>
    </message>
    <message>
        <source>No added wait</source>
        <translation>Keine zusätzliche Wartezeit</translation>
    </message>
</context>
<context>
    <name>espalier::ui::MoveLegend</name>
    <message>
        <source>Decode</source>
        <translation>Decode</translation>
    </message>
    <message>
        <source>Prefill</source>
        <translation>Prefill</translation>
    </message>
    <message>
        <source>Adapter</source>
        <translation>Adapter</translation>
    </message>
    <message>
        <source>Evicted</source>
        <translation>Verdrängt</translation>
    </message>
    <message>
        <source>Colours of the timeline</source>
        <translation>Farben der Zeitleiste</translation>
    </message>
</context>
<context>
    <name>espalier::ui::MoveTable</name>
    <message>
        <source>Time</source>
        <translation>Zeit</translation>
    </message>
    <message>
        <source>Adapter</source>
        <translation>Adapter</translation>
    </message>
    <message>
        <source>Way</source>
        <translation>Weg</translation>
    </message>
    <message>
        <source>Why</source>
        <translation>Warum</translation>
    </message>
    <message>
        <source>Tenant</source>
        <translation>Mandant</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>ms</source>
        <translation>ms</translation>
    </message>
    <message>
        <source>Disk</source>
        <translation>Platte</translation>
    </message>
    <message>
        <source>RAM</source>
        <translation>RAM</translation>
    </message>
    <message>
        <source>Ahead of its turn</source>
        <translation>Ehe er an der Reihe war</translation>
    </message>
    <message>
        <source>Room for KV pages</source>
        <translation>Platz für KV-Seiten</translation>
    </message>
    <message>
        <source>Room for %1</source>
        <translation>Platz für %1</translation>
    </message>
    <message>
        <source>A new version came</source>
        <translation>Eine neue Version kam</translation>
    </message>
    <message>
        <source>It was removed</source>
        <translation>Er wurde entfernt</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Gerät</translation>
    </message>
    <message>
        <source>Asked for by a request</source>
        <translation>Von einer Anfrage verlangt</translation>
    </message>
</context>
<context>
    <name>espalier::ui::MoveTimeline</name>
    <message>
        <source>Swap timeline</source>
        <translation>Zeitlinie der Adapter</translation>
    </message>
    <message>
        <source>%1 · %2</source>
        <translation>%1 · %2</translation>
    </message>
    <message>
        <source>%1 ms</source>
        <translation>%1 ms</translation>
    </message>
    <message>
        <source>for %1</source>
        <translation>für %1</translation>
    </message>
    <message>
        <source>Disk → RAM</source>
        <translation>Platte → RAM</translation>
    </message>
    <message>
        <source>Step of %1</source>
        <translation>Schritt von %1</translation>
    </message>
    <message>
        <source>with %1 adapter</source>
        <translation>mit %1 Adapter</translation>
    </message>
    <message>
        <source>with %1 adapters</source>
        <translation>mit %1 Adaptern</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>Schritte</translation>
    </message>
    <message>
        <source>RAM → Device</source>
        <translation>RAM → Gerät</translation>
    </message>
    <message>
        <source>Evicted</source>
        <translation>Verdrängt</translation>
    </message>
    <message>
        <source>−%1 ms</source>
        <translation>−%1 ms</translation>
    </message>
    <message>
        <source>−%1 s</source>
        <translation>−%1 s</translation>
    </message>
</context>
<context>
    <name>espalier::ui::Notifier</name>
    <message>
        <source>%1 failed</source>
        <translation>%1 ist fehlgeschlagen</translation>
    </message>
    <message>
        <source>%1 is finished</source>
        <translation>%1 ist fertig</translation>
    </message>
    <message>
        <source>%1 job goes on</source>
        <translation>%1 Auftrag läuft weiter</translation>
    </message>
    <message>
        <source>%1 jobs go on</source>
        <translation>%1 Aufträge laufen weiter</translation>
    </message>
    <message>
        <source>The server goes on</source>
        <translation>Der Server läuft weiter</translation>
    </message>
    <message>
        <source>%1, and the server</source>
        <translation>%1, auch der Server</translation>
    </message>
    <message>
        <source>The engine of %1 works without the window. Open Espalier to see it, or stop it with espalierctl serve --stop.</source>
        <translation>Die Engine von %1 arbeitet ohne das Fenster. Öffnen Sie Espalier, um sie zu sehen, oder beenden Sie sie mit espalierctl serve --stop.</translation>
    </message>
</context>
<context>
    <name>espalier::ui::NowPanel</name>
    <message>
        <source>Swap</source>
        <translation>Bewegungen</translation>
    </message>
    <message>
        <source>Now</source>
        <translation>Jetzt</translation>
    </message>
    <message>
        <source>Requests</source>
        <translation>Anfragen</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
    <message>
        <source>Page map</source>
        <translation>Seitenkarte</translation>
    </message>
    <message>
        <source>What is shown below</source>
        <translation>Was unten gezeigt wird</translation>
    </message>
    <message>
        <source>Cancel request</source>
        <translation>Anfrage abbrechen</translation>
    </message>
    <message>
        <source>Models on the device</source>
        <translation>Modelle auf dem Gerät</translation>
    </message>
    <message>
        <source>Nobody asks anything at the moment.</source>
        <translation>Im Augenblick fragt niemand etwas.</translation>
    </message>
    <message>
        <source>No model is loaded; the first request loads one.</source>
        <translation>Kein Modell ist geladen; die erste Anfrage lädt eines.</translation>
    </message>
    <message>
        <source>oldest %1 of %2 requests</source>
        <translation>älteste %1 von %2 Anfragen</translation>
    </message>
    <message>
        <source>The request was not cancelled</source>
        <translation>Die Anfrage wurde nicht abgebrochen</translation>
    </message>
    <message>
        <source>Tenants</source>
        <translation>Mandanten</translation>
    </message>
    <message>
        <source>Tenants that use the server</source>
        <translation>Mandanten, die den Server benutzen</translation>
    </message>
    <message>
        <source>No tenant uses the server at the moment.</source>
        <translation>Gerade benutzt kein Mandant den Server.</translation>
    </message>
    <message>
        <source>Ask in the Playground</source>
        <translation>In der Spielwiese fragen</translation>
    </message>
    <message>
        <source>Choose a model to load</source>
        <translation>Ein Modell zum Laden wählen</translation>
    </message>
    <message>
        <source>Tenants and their keys</source>
        <translation>Mandanten und Schlüssel</translation>
    </message>
    <message>
        <source>No adapter has moved yet; they come when a request names them.</source>
        <translation>Noch hat sich kein Adapter bewegt; sie kommen, wenn eine Anfrage sie nennt.</translation>
    </message>
    <message>
        <source>Ask an adapter</source>
        <translation>Einen Adapter fragen</translation>
    </message>
    <message>
        <source>Filter</source>
        <translation>Filtern</translation>
    </message>
    <message>
        <source>Filter the tenants that use the server</source>
        <translation>Die Mandanten filtern, die den Server benutzen</translation>
    </message>
</context>
<context>
    <name>espalier::ui::OriginView</name>
    <message>
        <source>Origin</source>
        <translation>Herkunft</translation>
    </message>
    <message>
        <source>SHA-256</source>
        <translation>SHA-256</translation>
    </message>
    <message>
        <source>Verified</source>
        <translation>Geprüft</translation>
    </message>
    <message>
        <source>Id</source>
        <translation>Id</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>Ordner</translation>
    </message>
    <message>
        <source>Source</source>
        <translation>Quelle</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>Lizenz</translation>
    </message>
    <message>
        <source>Warnings at import</source>
        <translation>Warnungen beim Import</translation>
    </message>
    <message>
        <source>Copy: %1</source>
        <translation>Kopieren: %1</translation>
    </message>
    <message>
        <source>not since the import</source>
        <translation>nicht seit dem Import</translation>
    </message>
    <message>
        <source>the folder names none</source>
        <translation>der Ordner nennt keine</translation>
    </message>
</context>
<context>
    <name>espalier::ui::OwnerTable</name>
    <message>
        <source>Device memory by owner, at the cursor and now</source>
        <translation>Gerätespeicher nach Besitzer, am Zeiger und jetzt</translation>
    </message>
    <message>
        <source>Owner</source>
        <translation>Besitzer</translation>
    </message>
    <message>
        <source>At cursor</source>
        <translation>Am Zeiger</translation>
    </message>
    <message>
        <source>Now</source>
        <translation>Jetzt</translation>
    </message>
</context>
<context>
    <name>espalier::ui::PageMapPanel</name>
    <message>
        <source>Page map</source>
        <translation>Seitenkarte</translation>
    </message>
    <message>
        <source>Model whose pages are shown</source>
        <translation>Modell, dessen Seiten gezeigt werden</translation>
    </message>
    <message>
        <source>Pages appear when a model is loaded.</source>
        <translation>Seiten erscheinen, wenn ein Modell geladen ist.</translation>
    </message>
    <message>
        <source>%1, %2 tokens in %3 pages</source>
        <translation>%1, %2 Token in %3 Seiten</translation>
    </message>
    <message>
        <source>%1 pages of %2, one cell = %3</source>
        <translation>%1 Seiten zu %2, eine Zelle = %3</translation>
    </message>
    <message>
        <source>%1 pages of %2</source>
        <translation>%1 Seiten zu %2</translation>
    </message>
    <message>
        <source>Pages by owner</source>
        <translation>Seiten nach Besitzer</translation>
    </message>
    <message>
        <source>Show the pages as a table</source>
        <translation>Die Seiten als Tabelle zeigen</translation>
    </message>
    <message>
        <source>The pages were not read: %1</source>
        <translation>Die Seiten wurden nicht gelesen: %1</translation>
    </message>
    <message>
        <source>Choose a model to load</source>
        <translation>Ein Modell zum Laden wählen</translation>
    </message>
</context>
<context>
    <name>espalier::ui::PageMapView</name>
    <message>
        <source>Page map</source>
        <translation>Seitenkarte</translation>
    </message>
    <message>
        <source>Page %1</source>
        <translation>Seite %1</translation>
    </message>
    <message>
        <source>Pages %1–%2</source>
        <translation>Seiten %1–%2</translation>
    </message>
    <message>
        <source>%1 · %2</source>
        <translation>%1 · %2</translation>
    </message>
    <message>
        <source> · %1 each</source>
        <translation> · je %1</translation>
    </message>
    <message>
        <source>Read by several requests</source>
        <translation>Von mehreren Anfragen gelesen</translation>
    </message>
    <message>
        <source>Request %1</source>
        <translation>Anfrage %1</translation>
    </message>
    <message>
        <source>A prefix that a later request may begin with</source>
        <translation>Ein Anfang, mit dem eine spätere Anfrage beginnen kann</translation>
    </message>
    <message>
        <source>several adapters</source>
        <translation>mehrere Adapter</translation>
    </message>
    <message>
        <source>on its way in</source>
        <translation>auf dem Weg hinein</translation>
    </message>
    <message>
        <source>kept for its next request</source>
        <translation>für die nächste Anfrage behalten</translation>
    </message>
    <message>
        <source>in use</source>
        <translation>in Gebrauch</translation>
    </message>
    <message>
        <source>%1 of these: %2</source>
        <translation>%1 davon: %2</translation>
    </message>
    <message>
        <source>In use</source>
        <translation>In Gebrauch</translation>
    </message>
</context>
<context>
    <name>espalier::ui::PageTable</name>
    <message>
        <source>Pages</source>
        <translation>Seiten</translation>
    </message>
    <message>
        <source>Count</source>
        <translation>Anzahl</translation>
    </message>
    <message>
        <source>Owner</source>
        <translation>Besitzer</translation>
    </message>
    <message>
        <source>Belongs to</source>
        <translation>Gehört zu</translation>
    </message>
    <message>
        <source>several requests</source>
        <translation>mehreren Anfragen</translation>
    </message>
    <message>
        <source>Request %1</source>
        <translation>Anfrage %1</translation>
    </message>
</context>
<context>
    <name>espalier::ui::PlaygroundPage</name>
    <message>
        <source>Playground</source>
        <translation>Spielwiese</translation>
    </message>
    <message>
        <source>System prompt</source>
        <translation>Systemprompt</translation>
    </message>
    <message>
        <source>How the model should answer; optional</source>
        <translation>Wie das Modell antworten soll; darf fehlen</translation>
    </message>
    <message>
        <source>System</source>
        <translation>System</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>Prompt</translation>
    </message>
    <message>
        <source>Copy as curl</source>
        <translation>Als curl kopieren</translation>
    </message>
    <message>
        <source>New chat</source>
        <translation>Neues Gespräch</translation>
    </message>
    <message>
        <source>Ask something</source>
        <translation>Fragen Sie etwas</translation>
    </message>
    <message>
        <source>Message</source>
        <translation>Nachricht</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>Senden</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Stopp</translation>
    </message>
    <message>
        <source>No model in this workspace yet</source>
        <translation>Noch kein Modell in diesem Arbeitsbereich</translation>
    </message>
    <message>
        <source>Cases</source>
        <translation>Fälle</translation>
    </message>
    <message>
        <source>Add model</source>
        <translation>Modell hinzufügen</translation>
    </message>
    <message>
        <source>Show more of the system prompt</source>
        <translation>Mehr vom Systemprompt zeigen</translation>
    </message>
    <message>
        <source>Cancel the edit</source>
        <translation>Bearbeiten abbrechen</translation>
    </message>
    <message>
        <source>Save as case</source>
        <translation>Als Fall sichern</translation>
    </message>
    <message>
        <source>Copy as Python</source>
        <translation>Als Python kopieren</translation>
    </message>
    <message>
        <source>Send to %1</source>
        <translation>An %1 senden</translation>
    </message>
    <message>
        <source>Not attached to a server; what you type is kept</source>
        <translation>Mit keinem Server verbunden; was Sie tippen, bleibt erhalten</translation>
    </message>
    <message>
        <source>Sending replaces this message and what followed</source>
        <translation>Senden ersetzt diese Nachricht und alles danach</translation>
    </message>
    <message>
        <source>%1 prompt tokens, %2 cached</source>
        <translation>%1 Prompt-Token, %2 im Cache</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>%1 sends</source>
        <translation>%1 sendet</translation>
    </message>
</context>
<context>
    <name>espalier::ui::Plot</name>
    <message>
        <source>Copy the values</source>
        <translation>Werte kopieren</translation>
    </message>
    <message>
        <source>Table or plot</source>
        <translation>Tabelle oder Diagramm</translation>
    </message>
    <message>
        <source>Back to the whole time</source>
        <translation>Zurück zur ganzen Zeit</translation>
    </message>
    <message>
        <source>Save as CSV…</source>
        <translation>Als CSV speichern…</translation>
    </message>
    <message>
        <source>Save as PNG…</source>
        <translation>Als PNG speichern…</translation>
    </message>
    <message>
        <source>%1, table</source>
        <translation>%1, Tabelle</translation>
    </message>
    <message>
        <source>Save the values</source>
        <translation>Werte speichern</translation>
    </message>
    <message>
        <source>Save the picture</source>
        <translation>Bild speichern</translation>
    </message>
</context>
<context>
    <name>espalier::ui::PlotLegend</name>
    <message>
        <source>%1, legend</source>
        <translation>%1, Legende</translation>
    </message>
</context>
<context>
    <name>espalier::ui::PlotTable</name>
    <message>
        <source>Time</source>
        <translation>Zeit</translation>
    </message>
    <message>
        <source>x</source>
        <translation>x</translation>
    </message>
</context>
<context>
    <name>espalier::ui::PreferencesPage</name>
    <message>
        <source>Preferences</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Every choice holds at once</source>
        <translation>Jede Wahl gilt sofort</translation>
    </message>
    <message>
        <source>Look and language</source>
        <translation>Aussehen und Sprache</translation>
    </message>
    <message>
        <source>As the desktop</source>
        <translation>Wie die Arbeitsumgebung</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Hell</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Dunkel</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>Farben</translation>
    </message>
    <message>
        <source>%1 %</source>
        <translation>%1 %</translation>
    </message>
    <message>
        <source>Show movements</source>
        <translation>Bewegungen zeigen</translation>
    </message>
    <message>
        <source>Reduce movements</source>
        <translation>Bewegungen verringern</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>Sprache</translation>
    </message>
    <message>
        <source>Text size</source>
        <translation>Textgröße</translation>
    </message>
    <message>
        <source>Movement</source>
        <translation>Bewegung</translation>
    </message>
    <message>
        <source>Start</source>
        <translation>Start</translation>
    </message>
    <message>
        <source>The last workspace</source>
        <translation>Der letzte Arbeitsbereich</translation>
    </message>
    <message>
        <source>This folder</source>
        <translation>Dieser Ordner</translation>
    </message>
    <message>
        <source>Folder opened at start</source>
        <translation>Beim Start geöffneter Ordner</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>Wählen…</translation>
    </message>
    <message>
        <source>Start the engine of a workspace when none runs</source>
        <translation>Die Engine eines Arbeitsbereichs starten, wenn keine läuft</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>Ordner</translation>
    </message>
    <message>
        <source>Engine</source>
        <translation>Engine</translation>
    </message>
    <message>
        <source>While it works</source>
        <translation>Während der Arbeit</translation>
    </message>
    <message>
        <source>10 times a second</source>
        <translation>10-mal in der Sekunde</translation>
    </message>
    <message>
        <source>4 times a second</source>
        <translation>4-mal in der Sekunde</translation>
    </message>
    <message>
        <source>Once a second</source>
        <translation>Einmal in der Sekunde</translation>
    </message>
    <message>
        <source>Every two seconds</source>
        <translation>Alle zwei Sekunden</translation>
    </message>
    <message>
        <source>Tell the desktop when a job ends behind other windows</source>
        <translation>Melden, wenn ein Auftrag hinter anderen Fenstern endet</translation>
    </message>
    <message>
        <source>Plots are drawn</source>
        <translation>Diagramme zeichnen</translation>
    </message>
    <message>
        <source>Notifications</source>
        <translation>Meldungen</translation>
    </message>
    <message>
        <source>The workspace opened at start</source>
        <translation>Der beim Start geöffnete Arbeitsbereich</translation>
    </message>
    <message>
        <source>The engine goes on when the window closes; &quot;Stop the engine&quot; in the menu Tools ends it.</source>
        <translation>Die Engine läuft weiter, wenn das Fenster geschlossen wird; „Engine stoppen“ im Menü Werkzeuge beendet sie.</translation>
    </message>
</context>
<context>
    <name>espalier::ui::ProbabilityTip</name>
    <message>
        <source>Token %1</source>
        <translation>Token %1</translation>
    </message>
    <message>
        <source>other</source>
        <translation>andere</translation>
    </message>
</context>
<context>
    <name>espalier::ui::ProbeTable</name>
    <message>
        <source>Tensor</source>
        <translation>Tensor</translation>
    </message>
    <message>
        <source>Role</source>
        <translation>Rolle</translation>
    </message>
    <message>
        <source>Shape</source>
        <translation>Form</translation>
    </message>
    <message>
        <source>Type</source>
        <translation>Typ</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
</context>
<context>
    <name>espalier::ui::ProgressBar</name>
    <message>
        <source>%1 per cent</source>
        <translation>%1 Prozent</translation>
    </message>
</context>
<context>
    <name>espalier::ui::RequestTable</name>
    <message>
        <source>Answering</source>
        <translation>Antwortet</translation>
    </message>
    <message>
        <source>Reading the prompt</source>
        <translation>Liest den Prompt</translation>
    </message>
    <message>
        <source>Its model loads</source>
        <translation>Sein Modell wird geladen</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>Wartend</translation>
    </message>
    <message>
        <source>Request</source>
        <translation>Anfrage</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>State</source>
        <translation>Zustand</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>Prompt</translation>
    </message>
    <message>
        <source>Cached</source>
        <translation>Im Cache</translation>
    </message>
    <message>
        <source>Produced</source>
        <translation>Erzeugt</translation>
    </message>
    <message>
        <source>tok/s</source>
        <translation>Tok/s</translation>
    </message>
    <message>
        <source>Pages</source>
        <translation>Seiten</translation>
    </message>
    <message>
        <source>Age</source>
        <translation>Alter</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <translation>%1 von %2</translation>
    </message>
    <message>
        <source>Tenant</source>
        <translation>Mandant</translation>
    </message>
</context>
<context>
    <name>espalier::ui::SampleMaker</name>
    <message>
        <source>espalierctl ended before it was done: %1</source>
        <translation>espalierctl endete, bevor es fertig war: %1</translation>
    </message>
    <message>
        <source>espalierctl ended with %1</source>
        <translation>espalierctl endete mit %1</translation>
    </message>
</context>
<context>
    <name>espalier::ui::SamplingBar</name>
    <message>
        <source>Temperature</source>
        <translation>Temperatur</translation>
    </message>
    <message>
        <source>Top p</source>
        <translation>Top p</translation>
    </message>
    <message>
        <source>Seed, empty for a new one each time</source>
        <translation>Startwert, leer für jedes Mal einen neuen</translation>
    </message>
    <message>
        <source>any</source>
        <translation>frei</translation>
    </message>
    <message>
        <source>Most tokens of an answer</source>
        <translation>Höchstzahl der Token einer Antwort</translation>
    </message>
    <message>
        <source>More sampling settings</source>
        <translation>Weitere Sampling-Einstellungen</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>Startwert</translation>
    </message>
    <message>
        <source>Max tokens</source>
        <translation>Max. Token</translation>
    </message>
    <message>
        <source>Top k, 0 for all</source>
        <translation>Top k, 0 für alle</translation>
    </message>
    <message>
        <source>all</source>
        <translation>alle</translation>
    </message>
    <message>
        <source>Min p</source>
        <translation>Min p</translation>
    </message>
    <message>
        <source>Repetition penalty</source>
        <translation>Strafe für Wiederholung</translation>
    </message>
    <message>
        <source>Presence penalty</source>
        <translation>Strafe für Vorkommen</translation>
    </message>
    <message>
        <source>Frequency penalty</source>
        <translation>Strafe für Häufigkeit</translation>
    </message>
    <message>
        <source>Stop strings</source>
        <translation>Stopptexte</translation>
    </message>
    <message>
        <source>| between strings, \n for a line break, \| for a bar</source>
        <translation>| zwischen Texten, \n für einen Zeilenumbruch, \| für einen Strich</translation>
    </message>
    <message>
        <source>none; | between them</source>
        <translation>keine; | dazwischen</translation>
    </message>
    <message>
        <source>Probabilities</source>
        <translation>Wahrscheinlichkeiten</translation>
    </message>
    <message>
        <source>Underline what was not certain; the likeliest tokens under the pointer</source>
        <translation>Ungewisses unterstreichen; die wahrscheinlichsten Token unter dem Zeiger</translation>
    </message>
    <message>
        <source>Reset</source>
        <translation>Zurücksetzen</translation>
    </message>
    <message>
        <source>Top k</source>
        <translation>Top k</translation>
    </message>
    <message>
        <source>Repetition</source>
        <translation>Wiederholung</translation>
    </message>
    <message>
        <source>Presence</source>
        <translation>Vorkommen</translation>
    </message>
    <message>
        <source>Frequency</source>
        <translation>Häufigkeit</translation>
    </message>
    <message>
        <source>Stop at</source>
        <translation>Stopp bei</translation>
    </message>
</context>
<context>
    <name>espalier::ui::ServeHeader</name>
    <message>
        <source>Start server</source>
        <translation>Server starten</translation>
    </message>
    <message>
        <source>Running</source>
        <translation>Läuft</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>Wartend</translation>
    </message>
    <message>
        <source>Decode</source>
        <translation>Decode</translation>
    </message>
    <message>
        <source>TTFT p95</source>
        <translation>TTFT p95</translation>
    </message>
    <message>
        <source>TPOT p50</source>
        <translation>TPOT p50</translation>
    </message>
    <message>
        <source>Drain</source>
        <translation>Auslaufen</translation>
    </message>
    <message>
        <source>Serve</source>
        <translation>Server</translation>
    </message>
    <message>
        <source>Copy the address</source>
        <translation>Adresse kopieren</translation>
    </message>
    <message>
        <source>Port and exposure</source>
        <translation>Port und Erreichbarkeit</translation>
    </message>
    <message>
        <source>Stop server</source>
        <translation>Server stoppen</translation>
    </message>
    <message>
        <source>tok/s</source>
        <translation>Tok/s</translation>
    </message>
    <message>
        <source>ms</source>
        <translation>ms</translation>
    </message>
    <message>
        <source>This network</source>
        <translation>Diesem Netz</translation>
    </message>
    <message>
        <source>This machine only</source>
        <translation>Nur dieser Rechner</translation>
    </message>
    <message>
        <source>Everybody who reaches this address and has the key can use the server.</source>
        <translation>Alle, die diese Adresse erreichen und den Schlüssel haben, können den Server benutzen.</translation>
    </message>
    <message>
        <source>Only programs on this machine reach the server.</source>
        <translation>Nur Programme auf diesem Rechner erreichen den Server.</translation>
    </message>
    <message>
        <source>Adapter hits</source>
        <translation>Adapter-Treffer</translation>
    </message>
</context>
<context>
    <name>espalier::ui::ServePage</name>
    <message>
        <source>Queue</source>
        <translation>Warteschlange</translation>
    </message>
    <message>
        <source>requests</source>
        <translation>Anfragen</translation>
    </message>
    <message>
        <source>No samples yet</source>
        <translation>Noch keine Messwerte</translation>
    </message>
    <message>
        <source>Running</source>
        <translation>Läuft</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>Wartend</translation>
    </message>
    <message>
        <source>Tokens/s</source>
        <translation>Token/s</translation>
    </message>
    <message>
        <source>Decode</source>
        <translation>Decode</translation>
    </message>
    <message>
        <source>Prefill</source>
        <translation>Prefill</translation>
    </message>
    <message>
        <source>TTFT</source>
        <translation>TTFT</translation>
    </message>
    <message>
        <source>ms log</source>
        <translation>ms log</translation>
    </message>
    <message>
        <source>No requests in this time</source>
        <translation>Keine Anfragen in dieser Zeit</translation>
    </message>
    <message>
        <source>TPOT</source>
        <translation>TPOT</translation>
    </message>
    <message>
        <source>ms</source>
        <translation>ms</translation>
    </message>
    <message>
        <source>1 min</source>
        <translation>1 min</translation>
    </message>
    <message>
        <source>5 min</source>
        <translation>5 min</translation>
    </message>
    <message>
        <source>15 min</source>
        <translation>15 min</translation>
    </message>
    <message>
        <source>1 h</source>
        <translation>1 h</translation>
    </message>
    <message>
        <source>Session</source>
        <translation>Sitzung</translation>
    </message>
    <message>
        <source>Time shown</source>
        <translation>Gezeigte Zeit</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Anhalten</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>Exportieren</translation>
    </message>
    <message>
        <source>Device memory by owner</source>
        <translation>Gerätespeicher nach Besitzer</translation>
    </message>
    <message>
        <source>tok/s</source>
        <translation>Tok/s</translation>
    </message>
    <message>
        <source>GiB of %1</source>
        <translation>GiB von %1</translation>
    </message>
    <message>
        <source>Paused %1, %2 samples behind</source>
        <translation>Angehalten um %1, %2 Messwerte zurück</translation>
    </message>
    <message>
        <source>Cursor %1, %2 ago</source>
        <translation>Zeiger %1, vor %2</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>Export the plots into a folder</source>
        <translation>Diagramme in einen Ordner exportieren</translation>
    </message>
    <message>
        <source>The plots were not exported</source>
        <translation>Die Diagramme wurden nicht exportiert</translation>
    </message>
    <message>
        <source>% of 1 min</source>
        <translation>% in 1 min</translation>
    </message>
    <message>
        <source>Preemptions</source>
        <translation>Verdrängungen</translation>
    </message>
    <message>
        <source>per min</source>
        <translation>je min</translation>
    </message>
    <message>
        <source>Preempted</source>
        <translation>Verdrängt</translation>
    </message>
    <message>
        <source>Processor</source>
        <translation>Prozessor</translation>
    </message>
    <message>
        <source>cores</source>
        <translation>Kerne</translation>
    </message>
    <message>
        <source>GiB</source>
        <translation>GiB</translation>
    </message>
    <message>
        <source>Resident</source>
        <translation>Resident</translation>
    </message>
    <message>
        <source>The plot was not saved</source>
        <translation>Das Diagramm wurde nicht gespeichert</translation>
    </message>
    <message>
        <source>Back to the whole time</source>
        <translation>Zurück zur ganzen Zeit</translation>
    </message>
    <message>
        <source>Show the plots as tables</source>
        <translation>Diagramme als Tabellen zeigen</translation>
    </message>
    <message>
        <source>Note at the cursor</source>
        <translation>Notiz an der Marke</translation>
    </message>
    <message>
        <source>What happened here; empty removes the note</source>
        <translation>Was hier geschah; leer entfernt die Notiz</translation>
    </message>
    <message>
        <source>Exported into %1</source>
        <translation>Exportiert nach %1</translation>
    </message>
    <message>
        <source>Swap</source>
        <translation>Bewegungen</translation>
    </message>
    <message>
        <source>MB/s</source>
        <translation>MB/s</translation>
    </message>
    <message>
        <source>In</source>
        <translation>Herein</translation>
    </message>
    <message>
        <source>Out</source>
        <translation>Hinaus</translation>
    </message>
    <message>
        <source>Cache hits</source>
        <translation>Cache-Treffer</translation>
    </message>
    <message>
        <source>Prefixes</source>
        <translation>Präfixe</translation>
    </message>
    <message>
        <source>Adapters</source>
        <translation>Adapter</translation>
    </message>
    <message>
        <source>Engine</source>
        <translation>Engine</translation>
    </message>
    <message>
        <source>Engine memory</source>
        <translation>Engine-Speicher</translation>
    </message>
    <message>
        <source>MiB</source>
        <translation>MiB</translation>
    </message>
    <message>
        <source>MiB of %1 GiB</source>
        <translation>MiB von %1 GiB</translation>
    </message>
    <message>
        <source>limit %1 GiB</source>
        <translation>Grenze %1 GiB</translation>
    </message>
</context>
<context>
    <name>espalier::ui::ShortcutsPage</name>
    <message>
        <source>Command</source>
        <translation>Befehl</translation>
    </message>
    <message>
        <source>Menu</source>
        <translation>Menü</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>Tasten</translation>
    </message>
    <message>
        <source>Commands and keys</source>
        <translation>Befehle und Tasten</translation>
    </message>
    <message>
        <source>Filter commands</source>
        <translation>Befehle filtern</translation>
    </message>
</context>
<context>
    <name>espalier::ui::Sidebar</name>
    <message>
        <source>Workspace</source>
        <translation>Arbeitsbereich</translation>
    </message>
    <message>
        <source>Pages</source>
        <translation>Seiten</translation>
    </message>
    <message>
        <source>No workspace</source>
        <translation>Kein Arbeitsbereich</translation>
    </message>
    <message>
        <source>Workspace %1</source>
        <translation>Arbeitsbereich %1</translation>
    </message>
</context>
<context>
    <name>espalier::ui::StatusStrip</name>
    <message>
        <source>Workspaces and servers</source>
        <translation>Arbeitsbereiche und Server</translation>
    </message>
    <message>
        <source>Progress of the longest job</source>
        <translation>Fortschritt des längsten Auftrags</translation>
    </message>
    <message>
        <source>Engine</source>
        <translation>Engine</translation>
    </message>
    <message>
        <source>Jobs</source>
        <translation>Aufträge</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>Protokoll</translation>
    </message>
    <message>
        <source>Status</source>
        <translation>Status</translation>
    </message>
    <message>
        <source>%1 running</source>
        <translation>%1 laufen</translation>
    </message>
    <message>
        <source>%1 queued</source>
        <translation>%1 warten</translation>
    </message>
    <message>
        <source>%1 left</source>
        <translation>noch %1</translation>
    </message>
    <message>
        <source>%1 warning or error</source>
        <translation>%1 Warnung oder Fehler</translation>
    </message>
    <message>
        <source>%1 warnings or errors</source>
        <translation>%1 Warnungen oder Fehler</translation>
    </message>
    <message>
        <source>%1 %</source>
        <translation>%1 %</translation>
    </message>
    <message>
        <source>of %1 GiB</source>
        <translation>von %1 GiB</translation>
    </message>
    <message>
        <source>Not attached</source>
        <translation>Nicht verbunden</translation>
    </message>
    <message>
        <source>Starting the engine</source>
        <translation>Engine startet</translation>
    </message>
    <message>
        <source>Connecting</source>
        <translation>Verbindet</translation>
    </message>
    <message>
        <source>Attached to %1</source>
        <translation>Verbunden mit %1</translation>
    </message>
    <message>
        <source>Attached</source>
        <translation>Verbunden</translation>
    </message>
    <message>
        <source>Connection lost, retrying</source>
        <translation>Verbindung abgerissen, neuer Versuch</translation>
    </message>
    <message>
        <source>Not connected</source>
        <translation>Nicht verbunden</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Erneut versuchen</translation>
    </message>
    <message>
        <source>%1 cores</source>
        <translation>%1 Kerne</translation>
    </message>
    <message>
        <source>The engine uses %2 of %1 core</source>
        <translation>Die Engine nutzt %2 von %1 Kern</translation>
    </message>
    <message>
        <source>The engine uses %2 of %1 cores</source>
        <translation>Die Engine nutzt %2 von %1 Kernen</translation>
    </message>
</context>
<context>
    <name>espalier::ui::StepTable</name>
    <message>
        <source>Time</source>
        <translation>Zeit</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Prompt tokens</source>
        <translation>Prompt-Token</translation>
    </message>
    <message>
        <source>Answers</source>
        <translation>Antworten</translation>
    </message>
    <message>
        <source>Adapters</source>
        <translation>Adapter</translation>
    </message>
    <message>
        <source>ms</source>
        <translation>ms</translation>
    </message>
    <message>
        <source>%1 prompt token</source>
        <translation>%1 Prompt-Token</translation>
    </message>
    <message>
        <source>%1 prompt tokens</source>
        <translation>%1 Prompt-Token</translation>
    </message>
    <message>
        <source>%1 answer</source>
        <translation>%1 Antwort</translation>
    </message>
    <message>
        <source>%1 answers</source>
        <translation>%1 Antworten</translation>
    </message>
    <message>
        <source>%1, %2</source>
        <translation>%1, %2</translation>
    </message>
</context>
<context>
    <name>espalier::ui::SwapView</name>
    <message>
        <source>Moves of adapters</source>
        <translation>Bewegungen der Adapter</translation>
    </message>
    <message>
        <source>Steps of the models</source>
        <translation>Schritte der Modelle</translation>
    </message>
    <message>
        <source>Moves</source>
        <translation>Bewegungen</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>Schritte</translation>
    </message>
    <message>
        <source>Table under the timeline</source>
        <translation>Tabelle unter der Zeitlinie</translation>
    </message>
    <message>
        <source>Shorter time</source>
        <translation>Kürzere Zeit</translation>
    </message>
    <message>
        <source>Longer time</source>
        <translation>Längere Zeit</translation>
    </message>
</context>
<context>
    <name>espalier::ui::TemplatePreview</name>
    <message>
        <source>Rendered text</source>
        <translation>Fertiger Text</translation>
    </message>
    <message>
        <source>Ends with what the template writes before an answer</source>
        <translation>Endet mit dem, was die Vorlage vor eine Antwort schreibt</translation>
    </message>
    <message>
        <source>Add message</source>
        <translation>Nachricht hinzufügen</translation>
    </message>
    <message>
        <source>Messages</source>
        <translation>Nachrichten</translation>
    </message>
    <message>
        <source>You are a careful gardener.</source>
        <translation>Sie sind ein sorgfältiger Gärtner.</translation>
    </message>
    <message>
        <source>When do I tie young shoots?</source>
        <translation>Wann binde ich junge Triebe an?</translation>
    </message>
    <message>
        <source>The template refused this</source>
        <translation>Die Vorlage wies dies zurück</translation>
    </message>
    <message>
        <source>%1 characters</source>
        <translation>%1 Zeichen</translation>
    </message>
    <message>
        <source>%1 tokens, %2</source>
        <translation>%1 Token, %2</translation>
    </message>
    <message>
        <source>Add the answer&apos;s opening</source>
        <translation>Beginn der Antwort anfügen</translation>
    </message>
</context>
<context>
    <name>espalier::ui::TenantDayTable</name>
    <message>
        <source>Tenant</source>
        <translation>Mandant</translation>
    </message>
    <message>
        <source>Share</source>
        <translation>Anteil</translation>
    </message>
    <message>
        <source>Tokens today</source>
        <translation>Token heute</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <translation>%1 von %2</translation>
    </message>
</context>
<context>
    <name>espalier::ui::TenantInspector</name>
    <message>
        <source>never</source>
        <translation>nie</translation>
    </message>
    <message>
        <source>Export usage</source>
        <translation>Verbrauch exportieren</translation>
    </message>
    <message>
        <source>Export usage of this tenant</source>
        <translation>Verbrauch dieses Mandanten exportieren</translation>
    </message>
    <message>
        <source>Choose a tenant to see its keys and limits.</source>
        <translation>Wählen Sie einen Mandanten, um seine Schlüssel und Grenzen zu sehen.</translation>
    </message>
    <message>
        <source>Tenant</source>
        <translation>Mandant</translation>
    </message>
    <message>
        <source>New key</source>
        <translation>Neuer Schlüssel</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>Schlüssel</translation>
    </message>
    <message>
        <source>shown once, stored hashed</source>
        <translation>einmal gezeigt, als Hash gespeichert</translation>
    </message>
    <message>
        <source>Limits</source>
        <translation>Grenzen</translation>
    </message>
    <message>
        <source>apply at once, undo with Ctrl+Z</source>
        <translation>gelten sofort, zurück mit Strg+Z</translation>
    </message>
    <message>
        <source>The admin key of the workspace</source>
        <translation>Der Administratorschlüssel des Arbeitsbereichs</translation>
    </message>
    <message>
        <source>Since %1, %2 refused today, prefix cache not shared</source>
        <translation>Seit %1, heute %2 abgewiesen, Präfix-Cache nicht geteilt</translation>
    </message>
    <message>
        <source>Restore</source>
        <translation>Wiederherstellen</translation>
    </message>
    <message>
        <source>Revoke</source>
        <translation>Sperren</translation>
    </message>
    <message>
        <source>Restore the tenant</source>
        <translation>Mandanten wiederherstellen</translation>
    </message>
    <message>
        <source>Revoke the tenant</source>
        <translation>Mandanten sperren</translation>
    </message>
    <message>
        <source>Rotate</source>
        <translation>Erneuern</translation>
    </message>
    <message>
        <source>Rotate %1</source>
        <translation>%1 erneuern</translation>
    </message>
    <message>
        <source>Revoke %1</source>
        <translation>%1 sperren</translation>
    </message>
    <message>
        <source>Isolation check</source>
        <translation>Trennungsprüfung</translation>
    </message>
    <message>
        <source>Shows that nobody&apos;s answer depends on who else is served</source>
        <translation>Zeigt, dass keine Antwort davon abhängt, wer sonst bedient wird</translation>
    </message>
    <message>
        <source>No key opens anything for this tenant.</source>
        <translation>Kein Schlüssel öffnet diesem Mandanten etwas.</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>Schlüssel</translation>
    </message>
    <message>
        <source>Created</source>
        <translation>Angelegt</translation>
    </message>
    <message>
        <source>Last used</source>
        <translation>Zuletzt benutzt</translation>
    </message>
    <message>
        <source>“%1” is not a number. 120, 30 k and 2 M are; so is none.</source>
        <translation>„%1“ ist keine Zahl. 120, 30 k und 2 M sind es, ebenso keine.</translation>
    </message>
    <message>
        <source>New tenant</source>
        <translation>Neuer Mandant</translation>
    </message>
    <message>
        <source>Make a new tenant</source>
        <translation>Einen neuen Mandanten anlegen</translation>
    </message>
    <message>
        <source>All tenants</source>
        <translation>Alle Mandanten</translation>
    </message>
</context>
<context>
    <name>espalier::ui::TenantLoadTable</name>
    <message>
        <source>Tenant</source>
        <translation>Mandant</translation>
    </message>
    <message>
        <source>Running</source>
        <translation>Läuft</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>Wartend</translation>
    </message>
    <message>
        <source>tok/s</source>
        <translation>Tok/s</translation>
    </message>
    <message>
        <source>Share of service</source>
        <translation>Anteil am Dienst</translation>
    </message>
    <message>
        <source>KV</source>
        <translation>KV</translation>
    </message>
    <message>
        <source>Refused</source>
        <translation>Abgelehnt</translation>
    </message>
    <message>
        <source>Loading</source>
        <translation>Lädt</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Gerät</translation>
    </message>
    <message>
        <source>RAM</source>
        <translation>RAM</translation>
    </message>
    <message>
        <source>Disk</source>
        <translation>Platte</translation>
    </message>
    <message>
        <source>Adapter</source>
        <translation>Adapter</translation>
    </message>
    <message>
        <source>Where</source>
        <translation>Wo</translation>
    </message>
    <message>
        <source>%1 page of running requests</source>
        <translation>%1 Seite laufender Anfragen</translation>
    </message>
    <message>
        <source>%1 pages of running requests</source>
        <translation>%1 Seiten laufender Anfragen</translation>
    </message>
    <message>
        <source>p50 %1, p95 %2, p99 %3 ms</source>
        <translation>p50 %1, p95 %2, p99 %3 ms</translation>
    </message>
    <message>
        <source>Weight</source>
        <translation>Gewicht</translation>
    </message>
    <message>
        <source>TTFT p95</source>
        <translation>TTFT p95</translation>
    </message>
    <message>
        <source>TPOT p50</source>
        <translation>TPOT p50</translation>
    </message>
    <message>
        <source>Tokens today, of limit</source>
        <translation>Token heute, von Grenze</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <translation>%1 von %2</translation>
    </message>
    <message>
        <source>%1 ms</source>
        <translation>%1 ms</translation>
    </message>
</context>
<context>
    <name>espalier::ui::TenantTable</name>
    <message>
        <source>all</source>
        <translation>alle</translation>
    </message>
    <message>
        <source>Revoked</source>
        <translation>Gesperrt</translation>
    </message>
    <message>
        <source>Expired</source>
        <translation>Abgelaufen</translation>
    </message>
    <message>
        <source>Near limit</source>
        <translation>Nahe der Grenze</translation>
    </message>
    <message>
        <source>Active</source>
        <translation>Aktiv</translation>
    </message>
    <message>
        <source>Tenant</source>
        <translation>Mandant</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>Schlüssel</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
    <message>
        <source>At once</source>
        <translation>Gleichzeitig</translation>
    </message>
    <message>
        <source>Tokens/min</source>
        <translation>Token/min</translation>
    </message>
    <message>
        <source>Weight</source>
        <translation>Gewicht</translation>
    </message>
    <message>
        <source>30 days</source>
        <translation>30 Tage</translation>
    </message>
    <message>
        <source>Today, of limit</source>
        <translation>Heute, von Grenze</translation>
    </message>
    <message>
        <source>State</source>
        <translation>Zustand</translation>
    </message>
    <message>
        <source>%1 tokens in 30 days</source>
        <translation>%1 Token in 30 Tagen</translation>
    </message>
    <message>
        <source>%1 of %2 tokens today (UTC)</source>
        <translation>%1 von %2 Token heute (UTC)</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
    <message>
        <source>Keys, limits and use of %1</source>
        <translation>Schlüssel, Grenzen und Verbrauch von %1</translation>
    </message>
</context>
<context>
    <name>espalier::ui::TenantUsageView</name>
    <message>
        <source>30 days</source>
        <translation>30 Tage</translation>
    </message>
    <message>
        <source>48 hours</source>
        <translation>48 Stunden</translation>
    </message>
    <message>
        <source>Usage shown</source>
        <translation>Gezeigte Nutzung</translation>
    </message>
    <message>
        <source>Usage in tokens</source>
        <translation>Nutzung in Token</translation>
    </message>
    <message>
        <source>tok</source>
        <translation>Tok</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>Prompt</translation>
    </message>
    <message>
        <source>Completion</source>
        <translation>Antwort</translation>
    </message>
    <message>
        <source>Usage</source>
        <translation>Verbrauch</translation>
    </message>
    <message>
        <source>Nothing was used in these 48 hours</source>
        <translation>In diesen 48 Stunden wurde nichts benutzt</translation>
    </message>
    <message>
        <source>Nothing was used in these 30 days</source>
        <translation>In diesen 30 Tagen wurde nichts verbraucht</translation>
    </message>
    <message>
        <source>limit %1 a day</source>
        <translation>Grenze %1 pro Tag</translation>
    </message>
    <message>
        <source>tok an hour</source>
        <translation>Tok. je Stunde</translation>
    </message>
    <message>
        <source>tok a day</source>
        <translation>Tok. je Tag</translation>
    </message>
</context>
<context>
    <name>espalier::ui::TenantsPage</name>
    <message>
        <source>Tenants</source>
        <translation>Mandanten</translation>
    </message>
    <message>
        <source>Filter</source>
        <translation>Filtern</translation>
    </message>
    <message>
        <source>Filter tenants</source>
        <translation>Mandanten filtern</translation>
    </message>
    <message>
        <source>Export usage</source>
        <translation>Verbrauch exportieren</translation>
    </message>
    <message>
        <source>New tenant</source>
        <translation>Neuer Mandant</translation>
    </message>
    <message>
        <source>The key was not made</source>
        <translation>Der Schlüssel wurde nicht angelegt</translation>
    </message>
    <message>
        <source>The key was not rotated</source>
        <translation>Der Schlüssel wurde nicht erneuert</translation>
    </message>
    <message>
        <source>The key was not revoked</source>
        <translation>Der Schlüssel wurde nicht gesperrt</translation>
    </message>
    <message>
        <source>%1 was not revoked</source>
        <translation>%1 wurde nicht gesperrt</translation>
    </message>
    <message>
        <source>%1 was not restored</source>
        <translation>%1 wurde nicht wiederhergestellt</translation>
    </message>
    <message>
        <source>The limit was not changed</source>
        <translation>Die Grenze wurde nicht geändert</translation>
    </message>
    <message>
        <source>Tenants of the workspace</source>
        <translation>Mandanten des Arbeitsbereichs</translation>
    </message>
    <message>
        <source>Make the first tenant</source>
        <translation>Ersten Mandanten anlegen</translation>
    </message>
    <message>
        <source>No tenants yet. A tenant is a person or a program with keys, limits and models of its own.</source>
        <translation>Noch keine Mandanten. Ein Mandant ist eine Person oder ein Programm mit eigenen Schlüsseln, Grenzen und Modellen.</translation>
    </message>
    <message>
        <source>Name: letters, digits, . _ -</source>
        <translation>Name: Buchstaben, Ziffern, . _ -</translation>
    </message>
    <message>
        <source>Name of the new tenant</source>
        <translation>Name des neuen Mandanten</translation>
    </message>
    <message>
        <source>Create</source>
        <translation>Anlegen</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>The tenant was not made</source>
        <translation>Der Mandant wurde nicht angelegt</translation>
    </message>
    <message>
        <source>The change was not undone</source>
        <translation>Die Änderung wurde nicht zurückgenommen</translation>
    </message>
    <message>
        <source>%1, %2, %3 tokens today</source>
        <translation>%1, %2, heute %3 Token</translation>
    </message>
    <message>
        <source>%1 tenant</source>
        <translation>%1 Mandant</translation>
    </message>
    <message>
        <source>%1 tenants</source>
        <translation>%1 Mandanten</translation>
    </message>
    <message>
        <source>%1 key</source>
        <translation>%1 Schlüssel</translation>
    </message>
    <message>
        <source>%1 keys</source>
        <translation>%1 Schlüssel</translation>
    </message>
    <message>
        <source>The usage could not be read</source>
        <translation>Der Verbrauch konnte nicht gelesen werden</translation>
    </message>
    <message>
        <source>The usage was not saved</source>
        <translation>Der Verbrauch wurde nicht gespeichert</translation>
    </message>
    <message>
        <source>The isolation check gave no verdict</source>
        <translation>Die Trennungsprüfung ergab kein Urteil</translation>
    </message>
</context>
<context>
    <name>espalier::ui::TensorTree</name>
    <message>
        <source>%1 tensor</source>
        <translation>%1 Tensor</translation>
    </message>
    <message>
        <source>%1 tensors</source>
        <translation>%1 Tensoren</translation>
    </message>
    <message>
        <source>Tensor</source>
        <translation>Tensor</translation>
    </message>
    <message>
        <source>Shape</source>
        <translation>Form</translation>
    </message>
    <message>
        <source>Type</source>
        <translation>Typ</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>%1 not finite</source>
        <translation>%1 nicht endlich</translation>
    </message>
    <message>
        <source>Norm</source>
        <translation>Norm</translation>
    </message>
</context>
<context>
    <name>espalier::ui::TokenStrip</name>
    <message>
        <source>Tokens</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>Id %1
Spelled %2
Bytes %3</source>
        <translation>Id %1
Geschrieben %2
Bytes %3</translation>
    </message>
    <message>
        <source>Special token</source>
        <translation>Besonderes Token</translation>
    </message>
    <message>
        <source>%1 %2, special</source>
        <translation>%1 %2, besonders</translation>
    </message>
</context>
<context>
    <name>espalier::ui::TokenizerPanel</name>
    <message>
        <source>Tokenizer</source>
        <translation>Tokenizer</translation>
    </message>
    <message>
        <source>The gardener tied the young shoots to the wire in spring.</source>
        <translation>Der Gärtner band die jungen Triebe im Frühjahr an den Draht.</translation>
    </message>
    <message>
        <source>try-out</source>
        <translation>Probe</translation>
    </message>
    <message>
        <source>Text to tokenize</source>
        <translation>Text zum Zerlegen</translation>
    </message>
    <message>
        <source>Tokens</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>This model was imported without a tokenizer: it takes ids.</source>
        <translation>Dieses Modell kam ohne Tokenizer: Es nimmt Ids.</translation>
    </message>
    <message>
        <source>Choose a model to try its tokenizer.</source>
        <translation>Wählen Sie ein Modell, um seinen Tokenizer zu probieren.</translation>
    </message>
    <message>
        <source>The text was not tokenized</source>
        <translation>Der Text wurde nicht zerlegt</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>Text</translation>
    </message>
    <message>
        <source>Chat template</source>
        <translation>Chat-Vorlage</translation>
    </message>
    <message>
        <source>Try out</source>
        <translation>Ausprobieren</translation>
    </message>
    <message>
        <source>Add special tokens</source>
        <translation>Besondere Token hinzufügen</translation>
    </message>
    <message>
        <source>This model has no chat template: it completes text.</source>
        <translation>Dieses Modell hat keine Chat-Vorlage: Es setzt Text fort.</translation>
    </message>
    <message>
        <source>%1 for %2</source>
        <translation>%1 für %2</translation>
    </message>
    <message>
        <source>%1 token</source>
        <translation>%1 Token</translation>
    </message>
    <message>
        <source>%1 tokens</source>
        <translation>%1 Token</translation>
    </message>
    <message>
        <source>%1 character</source>
        <translation>%1 Zeichen</translation>
    </message>
    <message>
        <source>%1 characters</source>
        <translation>%1 Zeichen</translation>
    </message>
    <message>
        <source>%1 characters per token</source>
        <translation>%1 Zeichen je Token</translation>
    </message>
    <message>
        <source>%1 special</source>
        <translation>%1 besondere</translation>
    </message>
    <message>
        <source>Import model</source>
        <translation>Modell importieren</translation>
    </message>
    <message>
        <source>Try out a text</source>
        <translation>Einen Text ausprobieren</translation>
    </message>
</context>
<context>
    <name>espalier::ui::Workspace</name>
    <message>
        <source>%1 preemption</source>
        <translation>%1 Verdrängung</translation>
    </message>
    <message>
        <source>%1 preemptions</source>
        <translation>%1 Verdrängungen</translation>
    </message>
    <message>
        <source>%1 loaded</source>
        <translation>%1 geladen</translation>
    </message>
    <message>
        <source>%1 unloaded</source>
        <translation>%1 entladen</translation>
    </message>
    <message>
        <source>Error: %1</source>
        <translation>Fehler: %1</translation>
    </message>
    <message>
        <source>The list of models was not read</source>
        <translation>Die Liste der Modelle wurde nicht gelesen</translation>
    </message>
    <message>
        <source>The bin was not read</source>
        <translation>Der Papierkorb wurde nicht gelesen</translation>
    </message>
    <message>
        <source>The list of jobs was not read</source>
        <translation>Die Liste der Aufträge wurde nicht gelesen</translation>
    </message>
    <message>
        <source>The log was not read</source>
        <translation>Das Protokoll wurde nicht gelesen</translation>
    </message>
    <message>
        <source>The history of the plots was not read</source>
        <translation>Der Verlauf der Diagramme wurde nicht gelesen</translation>
    </message>
    <message>
        <source>Left out of &quot;%1&quot;: %2</source>
        <translation>Ausgelassen aus „%1“: %2</translation>
    </message>
    <message>
        <source>The list of adapters was not read</source>
        <translation>Die Liste der Adapter wurde nicht gelesen</translation>
    </message>
    <message>
        <source>Engine restarted</source>
        <translation>Engine neu gestartet</translation>
    </message>
</context>
<context>
    <name>format</name>
    <message>
        <source>%1 d %2 h</source>
        <translation>%1 d %2 h</translation>
    </message>
    <message>
        <source>%1 h %2 min</source>
        <translation>%1 h %2 min</translation>
    </message>
    <message>
        <source>%1 min %2 s</source>
        <translation>%1 min %2 s</translation>
    </message>
    <message>
        <source>%1 s</source>
        <translation>%1 s</translation>
    </message>
</context>
</TS>
