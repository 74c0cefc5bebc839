#include "tests/ui/support/bench.h"
#include <QPlainTextEdit>
#include <QDialog>
#include <QPainter>
#include <cmath>
using namespace espalier; using namespace espalier::ui; using espalier::test::Bench;
class TestGrab : public QObject { Q_OBJECT
private slots:
  void grab() {
    Bench bench; auto& d = bench.daemon;
    d.addModel("Llama-3.2-1B-Instruct"); d.addModel("garden-4m"); d.addModel("tiny-llama-bf16");
    d.models[0].parameters = 1'235'814'400; d.models[0].bytes = 2'471'628'800; d.models[0].licence="Llama 3.2"; d.models[0].context=131072;
    d.models[0].spec.layers.assign(16,{32,8,8192}); d.models[0].spec.hidden=2048;
    JobRecord r; r.id=3; r.kind="import"; r.title="Import mistral-7b"; r.state=JobState::Running; r.progress=.44; r.etaS=62; r.bytesPerS=412e6; r.step="copying model-00001-of-00002.safetensors";
    JobRecord f=r; f.id=2; f.title="Import broken-fine-tune"; f.state=JobState::Failed; f.error=fail(ErrorCode::CorruptFile,"model.safetensors: the header names 291 tensors, the file ends after 288","model.safetensors"); f.endedAt=d.snapshot.at;
    JobRecord g=r; g.id=1; g.title="Import garden-4m"; g.state=JobState::Finished;
    JobRecord h=r; h.id=4; h.title="Verify garden-4m"; h.kind="verify"; h.state=JobState::Interrupted;
    d.jobs={r,f,g,h};
    auto& s=d.snapshot; s.running=46; s.waiting=7; s.decodeTokensPerS=2914; s.prefillTokensPerS=4488; s.ttftMs={81,163,372,100}; s.tpotMs={15,20,27,100}; s.processorShare=1.4; s.residentBytes=3'400'000'000;
    const std::int64_t G=1ll<<30;
    LoadedModel l; l.name="Llama-3.2-1B-Instruct"; l.state="ready"; l.poolPages=4096; l.poolPagesUsed=1024; l.poolPagesCached=700; l.weightsBytes=2'471'628'800; l.running=40; l.waiting=7;
    LoadedModel m=l; m.name="garden-4m"; m.running=6; m.waiting=0; m.weightsBytes=16'000'000; m.poolPagesUsed=100;
    s.models={l,m};
    for(int i=0;i<900;++i){ HistoryPoint p; p.at=s.at-900'000+i*1000; double t=i/60.0; auto n=[&](int k){return ((i*7919*k)%997)/997.0;};
      p.memory.total=8*G; p.memory.weights=i<300?2.3*G:2.4*G; p.memory.workspace=G/4; p.memory.kvRunning=(1.6+.5*std::sin(t))*G; p.memory.kvCached=(1.2+.2*std::cos(t*2))*G; p.memory.free=p.memory.total-p.memory.weights-p.memory.workspace-p.memory.kvRunning-p.memory.kvCached;
      p.decodeTokensPerS=2600+500*std::sin(t/2)+500*n(1); p.prefillTokensPerS=3000+900*std::cos(t/3)+2000*n(3); p.running=40+8*std::sin(t)+4*n(2); p.waiting=std::max(0.0,6*std::sin(t*1.3)+3*n(5));
      p.ttftMs={80+30*std::sin(t)+10*n(1),170+70*std::sin(t)+20*n(2),330+120*std::sin(t)+60*n(3),100}; p.tpotMs={15+2*std::sin(t),20+3*std::sin(t)+n(1),28+4*std::sin(t)+3*n(2),100}; d.history.push_back(p); }
    s.memory=d.history.back().memory;
    for(int i=0;i<20;++i) d.log.push_back({s.at-i*60000, i%9==4?"warning":"info", "serve", i%9==4?"2 tensors of the checkpoint are not used: rotary_emb.inv_freq":"Model Llama-3.2-1B-Instruct loaded in 3.1 s"});
    d.chatPieces={"Dear colleague,\n\nThank you for seeing this 68-year-old gentleman, ","who presented with exertional chest tightness over the past three weeks. ","His ECG shows ST depression in the lateral leads, and troponin was mildly raised at 34 ng/L.\n\nKind regards"};
    QVERIFY(bench.open());
    QTest::qWait(300);
    const QString dir=qEnvironmentVariable("GRAB","/tmp/grab"); QDir().mkpath(dir);
    auto shot=[&](const QString& n){ d.sendSnapshot(); QTest::qWait(700); QPixmap p=bench.window.grab();
      for (auto* w : bench.window.findChildren<QDialog*>()) if (w->isVisible()) { QPainter q(&p); q.drawPixmap((p.width()-w->width())/2,(p.height()-w->height())/2,w->grab()); }
      p.save(dir+"/"+n+".png"); };
    shot("home"); bench.window.goTo("models"); shot("models"); bench.window.goTo("serve"); shot("serve");
    bench.window.goTo("playground"); QTest::qWait(50); bench.find<QPlainTextEdit>("Message")->setPlainText("Write the referral letter to Dr Okafor. 68-year-old man, three weeks of exertional chest tightness."); bench.click("Send"); QTest::qWait(300); bench.find<QPlainTextEdit>("Message")->setPlainText("And now shorter."); shot("playground");
    bench.window.openImport("/data/models/tiny"); QTest::qWait(300); shot("import"); for (auto* w : bench.window.findChildren<QDialog*>()) w->close();
    bench.window.goTo("home"); bench.window.actions().get(action::kJobsDock)->trigger(); shot("dock"); bench.window.actions().get(action::kJobsDock)->trigger();
    bench.window.actions().get(action::kPalette)->trigger(); shot("palette"); bench.find<QWidget>("Command palette")->hide();
    espalier::test::theme().choose(ThemeChoice::Dark); bench.window.goTo("serve"); shot("serve-dark"); bench.window.goTo("models"); shot("models-dark"); bench.window.goTo("home"); shot("home-dark");
    espalier::test::theme().choose(ThemeChoice::Light);
    bench.window.resize(1024,768); for (auto p : {"home","models","serve","playground"}) { bench.window.goTo(p); shot(QString(p)+"-1024"); }
  }
};
ESPALIER_TEST(tst_zgrab, TestGrab)
#include "tst_zgrab.moc"
